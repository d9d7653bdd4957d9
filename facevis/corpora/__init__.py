"""Face sets of any size: RecordIO, folders, lists, WebDataset shards, drawn and synthetic ones."""

from facevis.corpora.corpus import Corpus, DamagedPicture

__all__ = ["Corpus", "DamagedPicture"]
