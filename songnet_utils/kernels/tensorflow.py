"""TensorFlow, for the gradients of kernels, without its start-up messages."""

from songnet_utils._utils.quiet import quiet_stderr

with quiet_stderr():
    import tensorflow as tf

__all__ = ["tf"]
