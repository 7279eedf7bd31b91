"""musicnn: equal to its stored graph, patch by patch, and right often enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from networks import used

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio, log_mel
from songnet_utils.metrics.intervals import artist_interval, wilson_interval
from songnet_utils.models.musicnn import (
    CENTRES,
    EMBEDDING,
    PATCH,
    SOUND,
    STRIDE,
    TAG_OF_GENRE,
    TAGS,
    build_musicnn,
    embedding_model,
    load_musicnn,
    load_tag_model,
    with_genres,
)
from songnet_utils.models.onnx_export import save_onnx
from songnet_utils.streaming.patches import PerPatch

COLUMNS = [TAGS.index(tag) for tag in TAG_OF_GENRE.values()]


@pytest.fixture(scope="module")
def musicnn(musicnn_data):
    return load_musicnn(musicnn_data)


@pytest.fixture(scope="module")
def tags(musicnn_data) -> Callable[[np.ndarray], np.ndarray]:
    """The published network: audio → the logits of its tags over time, (steps, 50)."""
    network = PerPatch(load_tag_model(musicnn_data), PATCH, STRIDE)
    return lambda audio: network.of_song(log_mel(audio, SOUND))


@pytest.fixture(scope="module")
def stored_graph(musicnn_data):
    """The graph that was stored with the checkpoint, run as it is: patches → tag logits.

    Only its inference part is imported: today's TensorFlow refuses the gradient nodes.
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    prefix = f"{musicnn_data / 'musicnn' / 'MSD_musicnn'}/"
    meta = v1.MetaGraphDef.FromString((musicnn_data / "musicnn/MSD_musicnn/.meta").read_bytes())
    part = v1.graph_util.extract_sub_graph(meta.graph_def, ["model/dense_1/BiasAdd"])
    for node in part.node:
        for attribute in ("_output_shapes", "_class"):
            if attribute in node.attr:
                del node.attr[attribute]
    reader = v1.train.NewCheckpointReader(prefix)
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(part, name="")
        variables = [node.name for node in part.node if node.op == "VariableV2"]
        values = {name: v1.placeholder(tf.float32) for name in variables}
        assign = [
            tf.raw_ops.Assign(
                ref=graph.get_tensor_by_name(f"{name}:0"), value=value, validate_shape=False
            )
            for name, value in values.items()
        ]
    session = v1.Session(graph=graph)
    session.run(assign, {values[name]: reader.get_tensor(name) for name in variables})
    assert len(variables) == 64

    def run(patches: np.ndarray) -> np.ndarray:
        feed = {"model/Placeholder:0": patches, "model/Placeholder_2:0": False}
        return session.run("model/dense_1/BiasAdd:0", feed)

    yield run
    session.close()


def musicnn_input(audio: np.ndarray) -> np.ndarray:
    """Patches as musicnn's own program makes them, every `STRIDE` frames: the stored graph's food.

    librosa, log10(1 + 10000·mel); zeros around the song; without the rounding to half precision.
    """
    import librosa

    mel = librosa.feature.melspectrogram(
        y=audio, sr=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    ).T
    compressed = np.log10(10_000 * mel + 1).astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(compressed, PATCH, axis=0)[::STRIDE]
    return np.ascontiguousarray(patches.transpose(0, 2, 1))


def band(seconds: float, seed: int = 0) -> np.ndarray:
    """Something like a band: plucked chords, a bass and a noise drum, from quiet to loud."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * 16_000)) / 16_000
    audio = np.zeros(len(time))
    for beat in np.arange(0, seconds, 0.25):
        since = np.maximum(time - beat, 0)
        on = time >= beat
        for pitch in (110, *generator.choice([220, 262, 330, 392, 523], 3, replace=False)):
            audio += on * np.exp(-6 * since) * np.sin(2 * np.pi * pitch * since) / 8
        audio += on * np.exp(-40 * since) * generator.normal(0, 0.1, len(time))
    return (audio * np.linspace(0.01, 0.5, len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def untrained():
    """The network with weights that are not those of a fresh network."""
    return used(build_musicnn())


@pytest.fixture(scope="module")
def published(untrained) -> Callable[[np.ndarray], np.ndarray]:
    """The network as it was published, from the same layers: patches with zeros around each."""
    import keras
    import tensorflow as tf

    model = untrained
    begin = keras.Model(model.input, model.get_layer("batch_normalization").output)
    features = model.get_layer("conv2d_5").input
    end = keras.Model(features, model.output)

    def run(patches: np.ndarray) -> np.ndarray:
        x = begin(patches)
        parts = []
        for number in range(5):
            convolve = model.get_layer(f"conv2d_{number}" if number else "conv2d")
            kernel, bias = convolve.kernel, convolve.bias
            if kernel.shape[0] == 1:
                kernel = tf.transpose(kernel, [1, 0, 2, 3])
            width = kernel.shape[0]
            around = [[0, 0], [(width - 1) // 2, width // 2], [0, 0], [0, 0]]
            y = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, around) + bias)
            y = model.get_layer(f"batch_normalization_{number + 1}")(y, training=False)
            parts.append(tf.reduce_max(y, axis=2))
        return end(tf.concat(parts, axis=-1), training=False).numpy()

    return run


@pytest.mark.parametrize(("clips", "steps", "rest"), [(1, 1, 0), (2, 4, 17)])
def test_what_patches_share_changes_no_patch(untrained, published, clips, steps, rest):
    """Computed once for all frames, or for each patch with its zeros: the same logits."""
    frames = PATCH + (steps - 1) * STRIDE + rest
    songs = np.random.default_rng(0).normal(-5, 3, (clips, frames, SOUND.n_mels))
    songs = songs.astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(songs, PATCH, axis=1)[:, ::STRIDE]
    patches = np.ascontiguousarray(patches.swapaxes(2, 3)).reshape(-1, PATCH, SOUND.n_mels)
    expected = published(patches)
    assert np.ptp(expected) > 1
    found = untrained(songs, training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-6)


def test_a_step_sees_its_own_frames_and_no_others(untrained):
    """To the bit, whatever is before and after; the song is more than one block."""
    random = np.random.default_rng(1)
    frames = random.normal(-5, 3, (PATCH + 17 * STRIDE, SOUND.n_mels)).astype(np.float32)
    net = with_genres(untrained)
    before = net.genre_of_frames(frames)
    for step in (0, 16):
        own = slice(step * STRIDE, step * STRIDE + PATCH)
        np.testing.assert_allclose(net.genre_of_frames(frames[own])[0], before[step], atol=1e-5)
        changed = random.normal(0, 5, frames.shape).astype(np.float32)
        changed[own] = frames[own]
        after = net.genre_of_frames(changed)
        np.testing.assert_array_equal(before[step], after[step])
        others = np.arange(18) != step
        assert (before[others] != after[others]).any(axis=1).all()


def test_it_equals_its_stored_graph_on_composed_sound(tags, stored_graph):
    audio = band(8)
    logits = tags(audio)
    assert logits.shape == (11, 50)
    assert np.ptp(logits) > 5  # there is something to compare
    np.testing.assert_allclose(logits, stored_graph(musicnn_input(audio)), atol=1e-4, rtol=0)


def test_it_equals_its_stored_graph_on_real_music(tags, stored_graph, shared_fma):
    largest = 0.0
    for file in sorted(shared_fma.glob("fma_small/*/*.mp3"))[::40]:
        audio = load_audio(file, 16_000)[: 10 * 16_000]
        difference = tags(audio) - stored_graph(musicnn_input(audio))
        largest = max(largest, np.abs(difference).max())
    print(f"\nlargest difference of a tag's logit from the stored graph: {largest:.1e}")
    assert largest <= 1e-4


def test_its_steps_are_every_half_second_of_the_last_three(musicnn):
    timeline = musicnn.timeline
    assert timeline.step_samples(0) == (-256, 186 * 256 + 256)
    assert timeline.step_seconds == pytest.approx(0.496)
    assert timeline.seconds_needed == pytest.approx(2.976)
    audio = band(5)
    over_time = musicnn.genre_over_time(audio)
    assert over_time.shape == (timeline.steps_of_samples(len(audio)), 7)
    assert over_time.dtype == np.float32
    np.testing.assert_allclose(over_time.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(musicnn.classify(audio), over_time.mean(axis=0), atol=1e-6)


def test_as_one_onnx_network_it_answers_the_same_and_gives_its_embedding(untrained, tmp_path):
    import onnxruntime

    net = with_genres(untrained)
    save_onnx(net, tmp_path / "musicnn.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "musicnn.onnx")
    frames = np.random.default_rng(3).normal(-7, 3, (400, SOUND.n_mels)).astype(np.float32)
    over_time, genre, embedding = session.run(
        ["genre_over_time", "genre", "embedding"], {"log_mel": frames[None]}
    )
    expected = net.genre_of_frames(frames)
    np.testing.assert_allclose(over_time[0], expected, atol=1e-5)
    np.testing.assert_allclose(genre[0], expected.mean(axis=0), atol=1e-5)
    before_tags = embedding_model(untrained)(frames[None])
    np.testing.assert_allclose(embedding[0], before_tags, rtol=1e-4, atol=1e-4)
    assert embedding.shape == (1, len(expected), EMBEDDING)


def test_less_than_three_seconds_are_refused_with_the_rule(musicnn):
    with pytest.raises(SongNetError, match=r"at least 2\.98 s .* Got 2\.9"):
        musicnn.genre_over_time(band(2.96))
    assert musicnn.genre_over_time(band(2.98)).shape == (1, 7)


def test_every_genre_but_international_has_its_tag():
    assert len(TAGS) == len(set(TAGS)) == 50
    assert set(TAG_OF_GENRE.values()) <= set(TAGS)
    assert all(genre.lower() == tag.lower() for genre, tag in TAG_OF_GENRE.items())
    assert list(TAG_OF_GENRE) == list(CENTRES)
    assert "International" not in TAG_OF_GENRE


def test_a_tag_at_its_centre_counts_as_much_as_any_other_at_its_own():
    model = build_musicnn()
    kernel, bias = model.get_layer("dense_1").get_weights()
    bias[COLUMNS] = list(CENTRES.values())
    bias[TAGS.index("folk")] += np.log(6)
    model.get_layer("dense_1").set_weights([0 * kernel, bias])
    answer = with_genres(model).genre_of_frames(np.zeros((PATCH, SOUND.n_mels), np.float32))
    np.testing.assert_allclose(answer, [[1 / 12, 1 / 12, 6 / 12, *[1 / 12] * 4]], atol=1e-6)


@pytest.mark.parametrize(("state", "said"), [("missing", "is not there"), ("cut", "is damaged")])
def test_missing_or_damaged_weights_say_how_to_get_them(tmp_path, musicnn_data, state, said):
    if state == "cut":
        for file in (musicnn_data / "musicnn").rglob("*"):
            if file.is_file():
                copy = tmp_path / file.relative_to(musicnn_data)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(SongNetError, match=rf"{said}\. Run `songnet fetch musicnn`"):
        load_musicnn(tmp_path)


def mean_by_genre(logits: np.ndarray, genres: Sequence[str]) -> np.ndarray:
    """Return the centres that clips give: the mean logits, each genre with the same weight.

    fma_small has 1,000 clips of each genre; so few clips in hand may be uneven.
    """
    return np.mean(
        [logits[np.array(genres) == genre].mean(axis=0) for genre in set(genres)], axis=0
    )


def test_it_names_real_genres_with_centres_of_other_artists(tags, shared_fma):
    """At least .40 of the clips whose genre has a tag; and the shipped centres are these clips'."""
    from songnet_utils.corpora import open_corpus

    clips = open_corpus(shared_fma).clips
    artists = clips["artist"].where(clips["artist"].notna(), "unknown " + clips["id"]).to_numpy()
    steps = [tags(load_audio(file, 16_000))[:, COLUMNS].astype(float) for file in clips["file"]]
    logits, genres = np.array([each.mean(axis=0) for each in steps]), clips["genre"].to_numpy()
    answers = []
    for clip, genre, artist in zip(steps, genres, artists, strict=True):
        if genre in TAG_OF_GENRE:
            others = artists != artist
            above = clip - mean_by_genre(logits[others], genres[others])
            shares = np.exp(above) / np.exp(above).sum(axis=1, keepdims=True)
            answers.append((genre, [*TAG_OF_GENRE][int(shares.mean(axis=0).argmax())], artist))
    right = np.array([genre == answer for genre, answer, _ in answers])
    low, high = wilson_interval(int(right.sum()), len(right))
    artist_low, artist_high = artist_interval(right, [artist for *_, artist in answers])
    print(
        f"\nmusicnn on {len(right)} real clips of {len({a for *_, a in answers})} artists: "
        f"{right.mean():.3f} (95 %: {low:.3f} to {high:.3f}; artists as the unit: "
        f"{artist_low:.3f} to {artist_high:.3f})"
    )
    for genre, group in itertools.groupby(sorted(answers), key=lambda answer: answer[0]):
        given = [answer for _, answer, _ in group]
        print(f"  {genre}: {given.count(genre)} of {len(given)}")
    assert len(right) >= 100
    assert right.mean() >= 0.40
    assert mean_by_genre(logits, genres) == pytest.approx([*CENTRES.values()], abs=2e-3)
