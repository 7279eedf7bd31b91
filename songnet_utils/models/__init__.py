"""The networks: build them, keep them, listen with them.

Here is every network of the paper's story under one name each (`NETWORKS`). They share a
beginning, an end and a way to be trained (`songnet_utils.models.building`), and once trained they
are all a `SongNet`.
"""

from songnet_utils.models.building import check_genres, keras, tf
from songnet_utils.models.paper import songnet, songnet_lstm
from songnet_utils.models.plus import songnet_plus
from songnet_utils.models.registry import NETWORKS, NetworkKind, ablation, network_kind
from songnet_utils.models.related import cnn_2d, cnn_mfcc, crnn_2d
from songnet_utils.models.trained import (
    LEAST_SPREAD,
    SongNet,
    centre,
    check_sound,
    given_to,
    learnt,
    load_keras,
    load_songnet,
    save_keras,
    set_weights,
    weights_of,
)
from songnet_utils.models.transfer import head_weights, songnet_transfer, with_listener
from songnet_utils.models.with_metadata import songnet_meta
from songnet_utils.onnx_export import save_onnx, save_stream
from songnet_utils.reach import timeline_of

__all__ = [
    "LEAST_SPREAD",
    "NETWORKS",
    "NetworkKind",
    "SongNet",
    "ablation",
    "centre",
    "check_genres",
    "check_sound",
    "cnn_2d",
    "cnn_mfcc",
    "crnn_2d",
    "given_to",
    "head_weights",
    "keras",
    "learnt",
    "load_keras",
    "load_songnet",
    "network_kind",
    "save_keras",
    "save_onnx",
    "save_stream",
    "set_weights",
    "songnet",
    "songnet_lstm",
    "songnet_meta",
    "songnet_plus",
    "songnet_transfer",
    "tf",
    "timeline_of",
    "weights_of",
    "with_listener",
]
