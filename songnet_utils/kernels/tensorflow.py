"""TensorFlow, which takes the gradients that kernels are looked into with, without its chatter."""

from songnet_utils._utils.quiet import quiet_stderr

with quiet_stderr():
    import tensorflow as tf

__all__ = ["tf"]
