from __future__ import annotations

from collections.abc import Sequence

from songnet_utils.models.building import Draw, begin, block, end, keras, layers
from songnet_utils.timeline import Sound


def songnet_plus(
    sound: Sound,
    genres: Sequence[str],
    *,
    filters: int = 256,
    dropout: float = 0.3,
    dilations: Sequence[int] = (1, 2, 4),
    statistics: int = 16,
    residual: bool = True,
    seed: int = 0,
) -> keras.Model:
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    for number in (1, 2, 3):
        x = block(
            x, number, draw, filters=filters, kernel=5, pool=2, dropout=dropout, batch_norm=True
        )
    number = 3
    for dilation in dilations:
        number += 1
        y = layers.ZeroPadding1D((2 * dilation, 0), name=f"before_{number}")(x)
        y = layers.SeparableConv1D(
            filters,
            3,
            dilation_rate=dilation,
            depthwise_initializer=draw(),
            pointwise_initializer=draw(),
            name=f"conv_{number}",
        )(y)
        y = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(y)
        y = layers.ReLU(name=f"relu_{number}")(y)
        y = layers.Dropout(dropout, seed=seed + number, name=f"dropout_{number}")(y)
        x = layers.Add(name=f"add_{number}")([x, y]) if residual else y
    if statistics:
        before = layers.ZeroPadding1D((statistics - 1, 0), name="before_mean")(x)
        mean = layers.AveragePooling1D(statistics, 1, name="mean")(before)
        largest = layers.MaxPooling1D(statistics, 1, name="largest")(before)
        x = layers.Concatenate(name="summary")([x, mean, largest])
        x = layers.Dropout(dropout, seed=seed + 20, name="dropout_summary")(x)
    return end(frames, x, genres, draw, "songnet_plus")
