"""The networks by name, musicnn, the baselines, and ONNX.

Here is every network of the paper's story under one name each (`NETWORKS`). They share a
beginning, an end and a way to be trained (`songnet_utils.models.building`), and once trained they
are all a `SongNet`.
"""
