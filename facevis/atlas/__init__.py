"""Maps of trained models: what a network, or a run's checkpoints, make of chosen people.

``people`` chooses pictures, ``models`` opens networks, ``cache`` keeps embeddings, ``survey``
brings them together as a run that the live view shows. Nothing here trains.
"""

from facevis.atlas.models import Model, model_of_file, model_of_run
from facevis.atlas.people import People, choose
from facevis.atlas.survey import Survey

__all__ = ["Model", "People", "Survey", "choose", "model_of_file", "model_of_run"]
