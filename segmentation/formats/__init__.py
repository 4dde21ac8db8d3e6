"""One reader and one writer for each file format of masks, scribbles and data sets. Imports no torch and no OpenCV."""
