from . import error_analysis, error_causes
from .compare import PAPER
from .leakage import column_leakage
from .report import evaluate

__all__ = ["PAPER", "column_leakage", "error_analysis", "error_causes", "evaluate"]
