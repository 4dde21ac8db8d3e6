"""Readers and writers of the file formats of masks, scribbles and data sets. They import neither torch nor OpenCV."""
