"""Keeps the files of videos, uploads and exports: in the data folder, or in a bucket with a cache on each machine."""
