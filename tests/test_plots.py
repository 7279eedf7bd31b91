"""Pictures: what they show is where it belongs, can be told apart, and is said in words."""

from __future__ import annotations

import html.parser
import itertools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.timeline import Layer, Timeline, receptive_field

SOUND = Sound()
BLOCKS = [
    ("conv 1", Layer(5)),
    ("pool 1", Layer(2, 2)),
    ("conv 2", Layer(5)),
    ("pool 2", Layer(2, 2)),
]
TIMELINE = Timeline(SOUND, receptive_field(layer for _, layer in BLOCKS))
GENRES = tuple(plots.GENRE_COLOURS)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


# --- Colours --------------------------------------------------------------------------------

# Machado, Oliveira & Fernandes (2009), severity 1: what dichromats see of linear RGB.
SEEN_BY = {
    "full colour vision": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB, white point D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", SEEN_BY)
def test_no_two_genres_look_alike(vision):
    seen = {
        genre: lab(np.array(SEEN_BY[vision]) @ linear(c))
        for genre, c in plots.GENRE_COLOURS.items()
    }
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)


def test_the_colour_check_would_find_red_and_green():
    red, green = (
        lab(np.array(SEEN_BY["deuteranopia"]) @ linear(c)) for c in ("#C04000", "#607000")
    )
    assert np.linalg.norm(red - green) < 20


def test_every_genre_has_a_colour_of_its_own():
    genres = ["Jazz", "rock", "Blues", "Hip-Hop", "Spoken", *"abcdefghijk"]
    colours = plots.genre_colours(genres)
    assert list(colours) == genres
    assert len(set(colours.values())) == 16
    assert colours["rock"] == plots.GENRE_COLOURS["Rock"]


def test_a_genre_keeps_its_colour_whatever_the_order():
    one, other = (
        plots.genre_colours(["Jazz", "Blues", "Pop"]),
        plots.genre_colours(["Pop", "Blues", "Jazz"]),
    )
    assert one == other


# --- Words for those who cannot see ---------------------------------------------------------


class Images(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


def test_text_alternative_survives_nbconvert():
    nbconvert = pytest.importorskip("nbconvert")
    ax = plots.waveform(np.sin(np.arange(4000)), 8000, title='A <b>"hum"</b> & more')
    picture = plots.show(ax)
    output = nbformat.v4.new_output(
        "execute_result",
        {"text/html": picture._repr_html_(), "text/plain": repr(picture)},
        execution_count=1,
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    (image,) = Images(page).found
    assert image["alt"] == picture.alt
    assert image["alt"].startswith('A <b>"hum"</b> & more:')
    assert image["src"].startswith("data:image/png;base64,iVBOR")


def test_a_picture_without_words_is_refused():
    _, ax = plt.subplots()
    with pytest.raises(SongNetError, match="text alternative"):
        plots.show(ax)
    assert plots.show(ax, alt="A\n   blank page").alt == "A blank page"


def test_showing_closes_the_figure():
    plots.show(plots.waveform(np.ones(10), 10))
    assert plt.get_fignums() == []


def test_words_of_all_axes_of_a_figure_are_said():
    _, (left, right) = plt.subplots(1, 2)
    plots.describe(left, "Before: a line.")
    plots.describe(right, "After: a curve.")
    assert "Before:" in plots.show(left).alt
    assert "After:" in plots.description(right)


# --- Each picture ---------------------------------------------------------------------------


def tone(seconds: float = 2.0, hertz: float = 1000.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * 22050)) / 22050).astype(np.float32)


def clips() -> pd.DataFrame:
    genres = np.repeat(["Folk", "Rock"], 6)
    return pd.DataFrame({"genre": genres, "artist": [f"{g} {n % 3}" for n, g in enumerate(genres)]})


def beliefs(steps: int) -> np.ndarray:
    table = np.random.default_rng(5).random((steps, len(GENRES)))
    return table / table.sum(axis=1, keepdims=True)


def epochs(count: int) -> list[dict]:
    return [
        {
            "loss": 2.0 / (n + 1),
            "accuracy": n / (n + 1),
            "val_loss": 2.0,
            "val_accuracy": 0.5,
            "learning_rate": 1e-3 if n < 3 else 5e-4,
        }
        for n in range(count)
    ]


ROWS = [
    {"model": "chance", "split": "random", "accuracy": 0.125, "confidence_interval": None},
    {"model": "svm", "split": "random", "accuracy": 0.6, "confidence_interval": [0.5, 0.7]},
    {"model": "svm", "split": "artist", "accuracy": 0.4, "confidence_interval": [0.3, 0.5]},
]

# Rock 0 is in one set of the first split, all others in two.
SETS = {
    "random": pd.Series(["train", "test"] * 3 + ["train", "test", "test"] * 2),
    "artist": pd.Series(["train", "train", "test"] * 4),
}
HIERARCHY = pd.DataFrame(
    [
        ("Rock", None, "Rock", 0, 30),
        ("noise", "Punk", "Rock", 2, 5),
        ("Punk", "Rock", "Rock", 1, 20),
        ("Folk", None, "Folk", 0, 10),
        ("Metal", "Rock", "Rock", 1, 7),
    ],
    columns=["title", "parent", "top", "depth", "tracks"],
)
DIFFERENCES = [
    {"name": "svm", "difference": 0.1, "confidence_interval": [0.05, 0.15]},
    {"name": "chance", "difference": 0.0, "confidence_interval": [-0.05, 0.05]},
]
PLACES = pd.DataFrame(
    {
        **{"x": [0, 1, 2, 3.0], "y": [0, 1, 0, 1.0], "set": ["train", "train", "test", "test"]},
        **{"genre": ["Folk", "Rock", "Folk", "Rock"], "answer": [None, None, "Folk", "Folk"]},
    }
)


def heated() -> pd.DataFrame:
    from songnet_utils.metrics.calibration import over_temperatures

    return over_temperatures(np.array([[0.9, 0.1], [0.4, 0.6]]), [0, 0], [0.5, 1.0, 2.0])


def answered() -> pd.DataFrame:
    from songnet_utils.metrics.accuracy import selective_accuracy

    return selective_accuracy([True, False], [0.8, 0.4], [0.0, 0.5, 1.0])


def bins() -> pd.DataFrame:
    from songnet_utils.metrics.calibration import reliability

    # Two clips at 90 % of which one is right, one right at 60 %.
    return reliability(np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]]), [0, 1, 1])


def moments() -> pd.DataFrame:
    rows = [(1.5, 2, 0.5, 0.2, 0.8, 0.25, 0.0, 0.5), (2.0, 2, 0.75, 0.5, 1.0, 0.75, 0.5, 1.0)]
    shares = [f"{name}{end}" for name in ("accuracy", "settled") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["seconds", "playing", *shares])


def statistics() -> pd.Series:
    from songnet_utils.features import FEATURE_NAMES

    names = pd.MultiIndex.from_tuples(FEATURE_NAMES, names=["feature", "statistics", "number"])
    return pd.Series(np.linspace(-300, 200, len(names)), index=names)


def pieces() -> np.ndarray:
    """Kernel k wants more of band 20·k, and less of all others."""
    found = np.full((6, 5, 128), -0.1)
    for kernel in range(6):
        found[kernel, :, 20 * kernel] = 1
    return found


def voted() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(random.normal(0, 0.1, (12, 8)), columns=GENRES)


def purity() -> pd.DataFrame:
    rows = [("conv_1", 0.35, 0.28, 0.33), ("conv_2", 0.5, 0.27, 0.34)]
    return pd.DataFrame(rows, columns=["layer", "purity", "low", "high"])


def maximised() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["conv_1", "conv_2"], [0, 1]], names=["layer", "kernel"])
    values = {"found": 2.0, "maximised": [4.0, 6, 6, 8], "distance": 1.0, "left": [1, 1, 0.5, 0.5]}
    return pd.DataFrame(values, index)


PICTURES = {
    "waveform": lambda: plots.waveform(tone(), 22050),
    "spectrum": lambda: plots.spectrum(np.fft.rfftfreq(64, 1 / 8000), np.ones(33)),
    "spectrogram": lambda: plots.spectrogram(np.random.default_rng(0).random((9, 1025)), SOUND),
    "mel_scale": lambda: plots.mel_scale(np.arange(100.0), np.arange(100.0) / 2),
    "mel_filters": lambda: plots.mel_filters(np.ones((128, 1025)), SOUND),
    "log_mel": lambda: plots.log_mel(np.zeros((9, 128)), SOUND),
    "log_mel_grid": lambda: plots.log_mel_grid(
        {"A": np.zeros((9, 128))} | {"B": np.ones((9, 128))}, SOUND
    ),
    "one_mel_filter": lambda: plots.one_mel_filter(np.arange(0.0, 900, 100), 3),
    "clips_per_genre": lambda: plots.clips_per_genre(clips()),
    "artist_leakage": lambda: plots.artist_leakage({"random": 0.9, "artist": 0.0}),
    "artists_per_set": lambda: plots.artists_per_set(clips(), SETS),
    "genre_tree": lambda: plots.genre_tree(HIERARCHY, ["Punk"]),
    "receptive_field_tree": lambda: plots.receptive_field_tree(BLOCKS, SOUND),
    "training_curves": lambda: plots.training_curves(epochs(5)),
    "genre_over_time": lambda: plots.genre_over_time(beliefs(20), GENRES, TIMELINE),
    "confusion_matrix": lambda: plots.confusion_matrix(np.eye(8, dtype=int), GENRES),
    "confusion_matrices": lambda: plots.confusion_matrices(
        {model: np.eye(8, dtype=int) for model in ("knn", "lr", "svm")}, GENRES
    ),
    "results": lambda: plots.results(ROWS),
    "reliability_diagram": lambda: plots.reliability_diagram({"before": bins(), "after": bins()}),
    "selective_accuracy": lambda: plots.selective_accuracy(
        answered(), answered().iloc[1], (0.2, 1.0)
    ),
    "over_temperatures": lambda: plots.over_temperatures(heated(), heated().iloc[1], 1.5),
    "until_right": lambda: plots.until_right(moments()),
    "differences": lambda: plots.differences(DIFFERENCES),
    "statistics_map": lambda: plots.statistics_map(statistics()),
    "feature_scatter": lambda: plots.feature_scatter(
        pd.DataFrame(np.arange(16.0).reshape(8, 2), columns=["brightness", "loudness"]),
        pd.Series(GENRES),
    ),
    "sizes_that_fit": lambda: plots.sizes_that_fit(
        pd.Series([0, 1, 2, 1], index=[5, 6, 7, 8]), of=2, marked={7: "seven", 8: "eight"}
    ),
    "embedding_map": lambda: plots.embedding_map(PLACES, 0.9),
    "kernel_at_work": lambda: plots.kernel_at_work(
        np.zeros((90, 128)),
        pieces()[0],
        np.arange(86.0),
        pd.DataFrame(beliefs(6) - 0.1, 1.6 + 0.4 * np.arange(6), GENRES),
        SOUND,
    ),
    "kernel_pictures": lambda: plots.kernel_pictures(pieces(), [0, 2, 4, 5, 1], SOUND),
    "kernel_votes": lambda: plots.kernel_votes(voted()),
    "kernel_purity": lambda: plots.kernel_purity({"trained": purity(), "untrained": purity()}),
    "maximisation": lambda: plots.maximisation(maximised()),
    "step_contributions": lambda: plots.step_contributions(
        np.array([0.2, -0.1, 0.3]), [2], TIMELINE, answer="Rock", rival="Folk"
    ),
    "errors_per_artist": lambda: plots.errors_per_artist(
        pd.DataFrame({"clips": [3, 4], "wrong": [3, 0]}, index=["A", "B"])
    ),
    "mended_and_broken": lambda: plots.mended_and_broken(
        pd.DataFrame({"mended": [3, 0], "broken": [1, 2]}, index=["Folk", "Rock"])
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_a_title_a_labelled_axis_and_words(name):
    ax = PICTURES[name]()
    # The title of several pictures side by side stands above all of them.
    assert ax.get_title() or ax.figure.get_suptitle()
    assert any(part.get_xlabel() for part in ax.figure.axes)
    assert len(plots.description(ax)) > 40
    assert plots.show(ax).content.startswith(b"\x89PNG")


def test_pictures_are_complete():
    drawn = {
        name
        for name in plots.__all__
        if getattr(getattr(plots, name), "__annotations__", {}).get("return") == "Axes"
    }
    assert drawn - {"describe"} == {*PICTURES, "architecture"}


def test_a_click_of_one_sample_is_seen_in_a_long_waveform():
    audio = np.zeros(500_000, np.float32)
    audio[123_457] = -0.7
    ax = plots.waveform(audio, 22050)
    (area,) = ax.collections
    assert area.get_datalim(ax.transData).y0 == pytest.approx(-0.7)


def test_peaks_above_the_highest_frequency_drawn_are_left_out():
    decibels = np.zeros((10, 1025))
    peaks = (np.array([1, 2]), np.array([10, 1000]))
    ax = plots.spectrogram(decibels, SOUND, peaks=peaks, highest=4000)
    (dots,) = [drawn for drawn in ax.collections if isinstance(drawn, PathCollection)]
    np.testing.assert_allclose(dots.get_offsets(), [[1024 / 22050, 10 * 22050 / 2048]])


def test_a_tone_lies_at_its_tick_on_the_log_mel():
    from songnet_utils.audio import log_mel

    frames = log_mel(tone(), SOUND)
    ax = plots.log_mel(frames, SOUND)
    ticks = {
        text.get_text(): place
        for place, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    }
    assert ticks["1,000"] == pytest.approx(frames[20].argmax(), abs=1)


def test_log_mels_side_by_side_share_their_brightness():
    frames = {
        "soft": np.full((9, 128), -3.0),
        "loud": np.full((9, 128), 2.0),
        "third": np.zeros((9, 128)),
    }
    ax = plots.log_mel_grid(frames, SOUND)
    images = [part.collections[0] for part in ax.figure.axes if part.get_visible()]
    assert len(images) == 3
    assert {image.get_clim() for image in images} == {(np.log(SOUND.floor), 2.0)}


def test_a_spectrum_below_the_picture_is_not_drawn_as_a_floor():
    power = 10 ** -np.linspace(0, 18, 33)  # falls by 180 dB
    ax = plots.spectrum(np.fft.rfftfreq(64, 1 / 8000), power)
    level = ax.lines[0].get_ydata()
    assert ax.get_ylim()[0] == -120
    assert (np.diff(level) < 0).all()


def test_genre_over_time_shows_at_each_moment_what_was_known_then():
    steps = 12
    shown = beliefs(steps)
    ax = plots.genre_over_time(shown, GENRES, TIMELINE)
    bottom = ax.collections[0].get_paths()[0]
    for seconds in (0.8, 1.0, 1.61, 2.2):
        step = TIMELINE.step_of_seconds(seconds)
        assert 0 <= step < steps
        known = shown[step, 0]
        assert bottom.contains_point((seconds, known - 1e-6))
        assert not bottom.contains_point((seconds, known + 1e-6))
    first = TIMELINE.step_span(0)[1]
    assert not bottom.contains_point((first - 0.01, 1e-6))


def test_genre_over_time_has_the_genres_colours_and_a_legend_in_the_stacks_order():
    ax = plots.genre_over_time(beliefs(12), GENRES, TIMELINE)
    faces = [matplotlib.colors.to_hex(area.get_facecolor()[0]).upper() for area in ax.collections]
    assert faces == list(plots.GENRE_COLOURS.values())
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == list(reversed(GENRES))


def test_confusion_rows_are_the_truth_and_empty_rows_are_no_error():
    counts = np.array([[3, 1, 0], [0, 0, 0], [0, 2, 5]])
    ax = plots.confusion_matrix(counts, ["Folk", "Pop", "Rock"])
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    # A cell's middle is at (column + ½, row + ½): Rock (row 2) was taken for Pop (column 1) twice.
    assert cells[1.5, 2.5] == "2"
    assert cells[0.5, 0.5] == "3"
    assert ax.get_ylabel() == "True genre"
    words = plots.description(ax)
    assert "Folk 3 of 4 right, most often taken for Pop (1)" in words
    assert "Pop 0 of 0 right" in words


def test_a_step_stands_on_as_many_frames_as_its_receptive_field():
    ax = plots.receptive_field_tree(BLOCKS, SOUND)
    rows = [drawn.get_offsets() for drawn in ax.collections]
    assert [len(row) for row in rows] == [16, 12, 6, 2, 1]
    # Each output lies above the middle of what it sees.
    assert rows[-1][0][0] == pytest.approx(rows[0][:, 0].mean())


def test_an_artist_in_two_sets_is_a_bar_of_two_colours():
    ax = plots.artists_per_set(clips(), SETS)
    other = ax.figure.axes[1]
    # clips(): six artists of two clips each, "Folk 0" first by name.
    assert ax.get_title() == "random split: 3 of 6 artists in more than one set"
    assert other.get_title() == "artist split: 0 of 6 artists in more than one set"
    heights = np.array([[bar.get_height() for bar in subset] for subset in ax.containers])
    assert heights.sum(axis=0).tolist() == [2] * 6
    assert ((heights > 0).sum(axis=0) > 1).tolist() == [True] * 3 + [False] * 3
    words = plots.description(ax)
    assert "3 of these bars have more than one colour" in words
    assert "0 of these bars have more than one colour" in words


def test_where_no_artist_is_known_there_is_no_bar():
    ax = plots.artists_per_set(clips().assign(artist=None), SETS)
    assert ax.get_title() == "random split: 0 of 0 artists in more than one set"
    assert len(ax.patches) == 0


def test_a_genre_stands_below_its_parent():
    ax = plots.genre_tree(HIERARCHY, ["Punk"])
    drawn = [text for part in ax.figure.axes for text in part.texts]
    # A column that begins below a top genre repeats its name.
    texts = [text for text in drawn if "continued" not in text.get_text()]
    assert [text.get_text() for text in drawn if text not in texts] == ["Rock, continued"] * 2
    assert [text.get_text() for text in texts] == ["Folk", "Rock", "Metal", "Punk", "noise"]
    assert [text.get_weight() == "bold" for text in texts] == [False, False, False, True, False]
    assert texts[4].get_position()[0] > texts[3].get_position()[0] > texts[1].get_position()[0]
    bars = [bar.get_width() for part in ax.figure.axes for bar in part.patches]
    assert bars == [10, 30, 7, 20, 5]
    assert "Rock (30 songs): 3 below" in plots.description(ax)


@pytest.mark.parametrize("count", [1, 2, 60])
def test_curves_of_any_number_of_epochs_with_and_without_validation(count):
    ax = plots.training_curves(epochs(count))
    assert {line.get_label() for line in ax.get_lines()} >= {"training", "validation"}
    recorded = [
        {key.replace("val_", "validation_"): x for key, x in e.items()} for e in epochs(count)
    ]
    same = plots.training_curves(recorded)
    assert plots.description(same) == plots.description(ax)
    alone = [{"loss": 1.0, "accuracy": 0.3}] * count
    ax = plots.training_curves(alone)
    assert [line.get_label() for line in ax.get_lines()] == ["training"]
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), np.arange(count) + 1)


def test_a_fall_of_the_learning_rate_is_drawn_between_its_epochs():
    ax = plots.training_curves(epochs(5))
    (fall,) = [line for line in ax.get_lines() if line.get_label() == "learning rate falls"]
    # Epochs 1 to 3 have the first rate, 4 and 5 the second.
    assert list(fall.get_xdata()) == [3.5, 3.5]


def test_a_split_keeps_its_look_whatever_comes_first():
    one, other = plots.results(ROWS), plots.results(ROWS[::-1])
    for ax in (one, other):
        handles, labels = ax.get_legend_handles_labels()
        assert labels == ["random", "artist"]
        assert [handle.get_marker() for handle in handles] == ["o", "s"]


def test_architecture_says_the_shapes_that_the_network_really_has():
    keras = pytest.importorskip("keras")
    frames = inputs = keras.Input((None, 12))
    for filters in (7, 9):
        frames = keras.layers.Conv1D(filters, 5)(frames)
        frames = keras.layers.BatchNormalization()(frames)
        frames = keras.layers.Activation("relu")(frames)
        frames = keras.layers.MaxPooling1D(2)(frames)
        frames = keras.layers.Dropout(0.5)(frames)
    dense = keras.layers.Dense(3, activation="softmax")
    over_time = keras.layers.TimeDistributed(dense, name="genre_over_time")(frames)
    genre = keras.layers.GlobalAveragePooling1D(name="genre")(over_time)
    model = keras.Model(inputs, [over_time, genre], name="small")

    words = plots.description(plots.architecture(model, Sound(n_mels=12), seconds=3.0))
    real = model(np.zeros((1, Sound().frames_of_samples(3 * 22050), 12), np.float32))[0].shape
    assert f"Genre over time: {real[1]} steps × {real[2]} genres" in words
    assert "Convolution + batch normalization + relu" in words
    assert "Genre of the song: 3 genres" in words


def test_a_difference_is_filled_where_its_interval_leaves_0_out():
    ax = plots.differences(DIFFERENCES)
    svm, chance = (line for line in ax.lines if line.get_marker() == "o")
    assert svm.get_markerfacecolor() == svm.get_color()
    assert chance.get_markerfacecolor() == "white"
    assert "svm +10.0 (+5.0 to +15.0)" in plots.description(ax)


def test_each_statistic_stands_in_its_row_and_each_coefficient_in_its_column():
    values = statistics()
    ax = plots.statistics_map(values)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    shown = ax.collections[0].get_array().reshape(7, 20)
    assert shown[rows.index("mean"), 2] == values["mfcc", "mean", "03"]


def test_several_matrices_share_one_description_and_one_scale():
    ax = PICTURES["confusion_matrices"]()
    assert [part.get_title() for part in ax.figure.axes[:3]] == ["knn", "lr", "svm"]
    assert len(ax.figure.axes) == 4
    assert all(
        f"{name}, true genres in rows" in plots.description(ax) for name in ("knn", "lr", "svm")
    )


def test_the_gaps_of_a_reliability_diagram_make_up_the_error_it_states():
    ax = plots.reliability_diagram({"before": bins()})
    # (2·|.5 − .9| + 1·|1 − .6|) / 3
    assert ax.get_title() == "before: calibration error 0.400"
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == [1, 0.5]
    assert [text.get_text() for text in ax.texts] == ["1", "2"]
    words = plots.description(ax)
    assert "100% right of 1 at 60% confidence, 50% right of 2 at 90% confidence." in words


def test_an_answer_holds_until_the_next_and_there_is_none_before_the_first():
    ax = plots.until_right(moments())
    (line,) = [drawn for drawn in ax.lines if drawn.get_label() == "right"]
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_xdata()) == [1.5, 2, 2]
    assert list(line.get_ydata()) == [0.5, 0.75, 0.75]
    assert "right: 50% (20% to 80%) after 1.5 s, 75%" in plots.description(ax)


def test_a_wrong_test_clip_is_a_cross_in_the_colour_of_its_truth():
    ax = PICTURES["embedding_map"]()
    assert "Folk 1 of 1 right; Rock 0 of 1 right" in plots.description(ax)
    crosses = [
        drawn for drawn in ax.collections if len(drawn.get_offsets()) and 84 in drawn.get_sizes()
    ]
    (cross,) = crosses
    np.testing.assert_allclose(cross.get_offsets(), [[3, 1]])
    assert matplotlib.colors.to_hex(cross.get_facecolor()[0]).upper() == plots.GENRE_COLOURS["Rock"]


def test_steps_stand_where_they_are_decided_and_their_sum_is_said():
    ax = PICTURES["step_contributions"]()
    lefts = sorted(bar.get_x() for bars in ax.containers for bar in bars)
    assert lefts == pytest.approx([TIMELINE.step_span(step)[1] for step in range(3)])
    assert "2 of 3 steps support Rock" in plots.description(ax)
    assert "+40.0 points" in plots.description(ax)


def test_broken_clips_lie_left_of_mended_ones():
    ax = PICTURES["mended_and_broken"]()
    mended, broken = ([bar.get_width() for bar in bars] for bars in ax.containers)
    assert (mended, broken) == ([3, 0], [-1, -2])
    assert "Folk 3 mended, 1 broken" in plots.description(ax)


def test_a_kernel_picture_says_the_band_that_is_wanted_most_and_shares_one_scale():
    ax = plots.kernel_pictures(pieces(), [0, 2, 5], SOUND)
    images = [image for part in ax.figure.axes for image in part.get_images()]
    assert [int(np.nanargmax(image.get_array().mean(axis=1))) for image in images] == [0, 40, 100]
    assert len({image.get_clim() for image in images}) == 1
    for kernel, band in ((0, "0"), (5, "100 of 128")):
        words = f"kernel {kernel}: most above average in mel band {band}"
        assert words in plots.description(ax)


def test_votes_are_sorted_by_genre_and_the_strongest_first():
    votes = voted()
    ax = plots.kernel_votes(votes)
    drawn = ax.get_images()[0].get_array()
    best = drawn.argmax(axis=1)
    assert (np.diff(best) >= 0).all()
    for genre in range(8):
        assert (np.diff(drawn[best == genre].max(axis=1)) <= 0).all()
    counts = np.bincount(votes.to_numpy().argmax(axis=1), minlength=8)
    assert f"{GENRES[0]} {counts[0]}, " in plots.description(ax)


def test_maximisation_says_their_medians():
    words = plots.description(plots.maximisation(maximised()))
    assert "activation, divided by the best piece's, medians conv_1 2.50, conv_2 3.50" in words
    assert "activation left as sound, medians conv_1 1.00, conv_2 0.50" in words
