"""musicnn, as it ships: equal to its stored graph, window by window, and right often enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import onnx
import pytest
from published_musicnn import CENTRES, PATCH, SOUND, STRIDE, TAG_OF_GENRE, TAGS, onnx_of_musicnn
from published_musicnn import variables as variables_in

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio, log_mel
from songnet_utils.metrics.intervals import artist_interval, wilson_interval
from songnet_utils.models.onnx_network import BUILT_IN
from songnet_utils.models.transfer import EMBEDDING, load_musicnn
from songnet_utils.models.transfer import SOUND as TRANSFER_SOUND

COLUMNS = [TAGS.index(tag) for tag in TAG_OF_GENRE.values()]


@pytest.fixture(scope="module")
def musicnn():
    return load_musicnn()


@pytest.fixture(scope="module")
def variables(published) -> Callable[[str], np.ndarray]:
    return variables_in(published)


@pytest.fixture(scope="module")
def tags(musicnn, variables) -> Callable[[np.ndarray], np.ndarray]:
    """Audio → the logits of all tags over time, (steps, 50): the shipped embedding's."""
    kernel, bias = variables("dense_1/kernel"), variables("dense_1/bias")
    return lambda audio: musicnn.embedding_of_frames(log_mel(audio, SOUND)) @ kernel + bias


@pytest.fixture(scope="module")
def stored_graph(published, variables):
    """The graph that was stored with the checkpoint, run as it is: patches → tag logits.

    Only its inference part is imported: today's TensorFlow refuses the gradient nodes.
    """
    import tensorflow as tf

    v1 = tf.compat.v1
    meta = v1.MetaGraphDef.FromString((published / "musicnn/MSD_musicnn/.meta").read_bytes())
    part = v1.graph_util.extract_sub_graph(meta.graph_def, ["model/dense_1/BiasAdd"])
    for node in part.node:
        for attribute in ("_output_shapes", "_class"):
            if attribute in node.attr:
                del node.attr[attribute]
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(part, name="")
        names = [node.name for node in part.node if node.op == "VariableV2"]
        values = {name: v1.placeholder(tf.float32) for name in names}
        assign = [
            tf.raw_ops.Assign(
                ref=graph.get_tensor_by_name(f"{name}:0"), value=value, validate_shape=False
            )
            for name, value in values.items()
        ]
    session = v1.Session(graph=graph)
    session.run(assign, {values[name]: variables(name) for name in names})
    assert len(names) == 64

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


def test_what_ships_is_made_of_what_was_published(variables):
    shipped = onnx.load(BUILT_IN / "musicnn.onnx")
    assert shipped == onnx_of_musicnn(variables)


def test_a_step_sees_its_own_frames_and_no_others(musicnn):
    """Whatever is before and after; the song is more than one block."""
    random = np.random.default_rng(1)
    frames = random.normal(-5, 3, (PATCH + 17 * STRIDE, SOUND.n_mels)).astype(np.float32)
    before = musicnn.genre_of_frames(frames)
    for step in (0, 16):
        own = slice(step * STRIDE, step * STRIDE + PATCH)
        np.testing.assert_allclose(musicnn.genre_of_frames(frames[own])[0], before[step], atol=1e-5)
        changed = random.normal(0, 5, frames.shape).astype(np.float32)
        changed[own] = frames[own]
        after = musicnn.genre_of_frames(changed)
        np.testing.assert_array_equal(before[step], after[step])
        others = np.arange(18) != step
        assert (before[others] != after[others]).any(axis=1).all()


def test_several_clips_at_once_answer_as_each_alone(musicnn):
    clips = np.random.default_rng(2).normal(-5, 3, (3, PATCH + STRIDE + 5, SOUND.n_mels))
    clips = clips.astype(np.float32)
    over_time, genre, embedding = musicnn.session.run(
        ["genre_over_time", "genre", "embedding"], {"log_mel": clips}
    )
    assert embedding.shape == (3, 2, EMBEDDING)
    expected = [musicnn.genre_of_frames(clip) for clip in clips]
    np.testing.assert_allclose(over_time, expected, atol=1e-5)
    np.testing.assert_allclose(genre, np.mean(expected, axis=1), atol=1e-5)


def test_it_equals_its_stored_graph_on_composed_sound(musicnn, tags, stored_graph):
    audio = band(8)
    logits, expected = tags(audio), stored_graph(musicnn_input(audio))
    assert logits.shape == (11, 50)
    assert np.ptp(logits) > 5  # there is something to compare
    np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=0)
    above = np.exp(expected[:, COLUMNS] - [CENTRES[genre] for genre in musicnn.genres])
    shares = above / above.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(musicnn.genre_over_time(audio), shares, atol=1e-4)


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
    assert timeline.sound == SOUND == TRANSFER_SOUND
    assert timeline.step_samples(0) == (-256, 186 * 256 + 256)
    assert timeline.step_seconds == pytest.approx(0.496)
    assert timeline.seconds_needed == pytest.approx(2.976)
    audio = band(5)
    over_time = musicnn.genre_over_time(audio)
    assert over_time.shape == (timeline.steps_of_samples(len(audio)), 7)
    assert over_time.dtype == np.float32
    np.testing.assert_allclose(over_time.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(musicnn.classify(audio), over_time.mean(axis=0), atol=1e-6)


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
