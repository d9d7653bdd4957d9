"""Face sets of any size: RecordIO, folders, lists, WebDataset shards, drawn and synthetic ones."""

from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.decoding import decode_picture
from facevis.corpora.folders import FolderCorpus, write_folder
from facevis.corpora.lists import ListCorpus, write_list
from facevis.corpora.opening import open_corpus
from facevis.corpora.recordio import RecordIO
from facevis.corpora.recordio_writing import write_recordio
from facevis.corpora.shards import ShardCorpus, write_shards
from facevis.corpora.synthetic import made_up
from facevis.corpora.writing import readable

__all__ = [
    "Corpus",
    "DamagedPicture",
    "FolderCorpus",
    "ListCorpus",
    "RecordIO",
    "ShardCorpus",
    "decode_picture",
    "made_up",
    "open_corpus",
    "readable",
    "write_folder",
    "write_list",
    "write_recordio",
    "write_shards",
]
