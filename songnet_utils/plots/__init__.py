"""Pictures and players: arrays and tables in, axes and sounds out.

Every function takes arrays or tables and returns matplotlib axes, titled, with units, and
described in words: `show` puts the picture in a notebook with that description as its text
alternative, which pages made from the notebook keep.

References
----------
Okabe, M., & Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people. https://jfly.uni-koeln.de/color/
"""

from songnet_utils.plots.answers import (
    confusion_matrices,
    confusion_matrix,
    differences,
    over_temperatures,
    reliability_diagram,
    results,
    selective_accuracy,
    sizes_that_fit,
    until_right,
)
from songnet_utils.plots.clips import (
    artist_leakage,
    artists_per_set,
    clips_per_genre,
    feature_scatter,
    genre_tree,
    split_sizes,
    statistics_map,
)
from songnet_utils.plots.errors import (
    embedding_map,
    errors_per_artist,
    mended_and_broken,
    step_contributions,
)
from songnet_utils.plots.kernels import dreams, kernel_pictures, kernel_purity, kernel_votes
from songnet_utils.plots.networks import (
    architecture,
    genre_bars,
    genre_over_time,
    receptive_field_tree,
    runs_compared,
    training_curves,
)
from songnet_utils.plots.sound import (
    log_mel,
    log_mel_grid,
    mel_filters,
    mel_scale,
    one_mel_filter,
    spectrogram,
    spectrum,
    waveform,
)
from songnet_utils.plots.style import (
    GENRE_COLOURS,
    LivePicture,
    Picture,
    describe,
    description,
    genre_colours,
    show,
)
