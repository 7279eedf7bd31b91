"""The pretrained listener: equal to its stored graph, causal, and right often enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from networks import used

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio, log_mel, mix_down, read_audio, resample
from songnet_utils.metrics.intervals import artist_interval, wilson_interval
from songnet_utils.models.musicnn import (
    CENTRES,
    EMBEDDING,
    PATCH,
    SOUND,
    STRIDE,
    TAG_OF_GENRE,
    TAGS,
    Listener,
    answers_without_artist,
    build_musicnn,
    genre_of_tags,
    learn_centres,
    load_musicnn,
)
from songnet_utils.models.onnx_export import save_onnx
from songnet_utils.streaming.song_stream import SongStream, Step


@pytest.fixture(scope="module")
def listener(musicnn_data):
    return load_musicnn(musicnn_data)


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
    """The listener's network with weights that nothing is lost among."""
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


@settings(max_examples=6)
@given(
    clips=st.integers(1, 2),
    steps=st.integers(1, 5),
    rest=st.integers(0, STRIDE - 1),
    level=st.floats(-20, 5),
    seed=st.integers(0, 2**16),
)
@example(clips=1, steps=1, rest=0, level=-5, seed=0)
def test_what_patches_share_changes_no_patch(untrained, published, clips, steps, rest, level, seed):
    """Computed once for all frames, or for each patch with its zeros: the same logits."""
    frames = PATCH + (steps - 1) * STRIDE + rest
    songs = np.random.default_rng(seed).normal(level, 3, (clips, frames, SOUND.n_mels))
    songs = songs.astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(songs, PATCH, axis=1)[:, ::STRIDE]
    patches = np.ascontiguousarray(patches.swapaxes(2, 3)).reshape(-1, PATCH, SOUND.n_mels)
    expected = published(patches)
    assert np.ptp(expected) > 1
    found = untrained(songs, training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-6)


def test_a_patch_hears_its_own_frames_and_no_others(untrained):
    """To the bit, whatever is before and after; the song is more than one block."""
    random = np.random.default_rng(1)
    frames = random.normal(-5, 3, (PATCH + 17 * STRIDE, SOUND.n_mels)).astype(np.float32)
    listener = Listener(untrained)
    before = listener.tags_of_frames(frames)
    patches = [frames[k * STRIDE : k * STRIDE + PATCH] for k in range(18)]
    alone = listener.tags_of_patches(np.stack(patches))
    np.testing.assert_allclose(before, alone, atol=1e-5, rtol=1e-6)
    for step in (0, 7, 15, 16, 17):
        own = slice(step * STRIDE, step * STRIDE + PATCH)
        changed = random.normal(0, 5, frames.shape).astype(np.float32)
        changed[own] = frames[own]
        after = listener.tags_of_frames(changed)
        np.testing.assert_array_equal(before[step], after[step])
        others = np.arange(18) != step
        assert (before[others] != after[others]).any(axis=1).all()


def test_it_equals_its_stored_graph_on_composed_sound(listener, stored_graph):
    audio = band(8)
    logits = listener.tags_over_time(audio)
    assert logits.shape == (11, 50)
    assert np.ptp(logits) > 5  # there is something to compare
    np.testing.assert_allclose(logits, stored_graph(musicnn_input(audio)), atol=1e-4, rtol=0)


def test_it_equals_its_stored_graph_on_real_music(listener, stored_graph, shared_fma):
    largest = 0.0
    for file in sorted(shared_fma.glob("fma_small/*/*.mp3"))[::40]:
        audio = load_audio(file, 16_000)[: 10 * 16_000]
        difference = listener.tags_over_time(audio) - stored_graph(musicnn_input(audio))
        largest = max(largest, np.abs(difference).max())
    print(f"\nlargest difference of a tag's logit from the stored graph: {largest:.1e}")
    assert largest <= 1e-4


def test_its_steps_are_every_half_second_of_the_last_three(listener):
    timeline = listener.timeline
    assert timeline.step_samples(0) == (-256, 186 * 256 + 256)
    assert timeline.step_seconds == pytest.approx(0.496)
    assert timeline.seconds_needed == pytest.approx(2.976)
    audio = band(5)
    over_time = listener.genre_over_time(audio)
    assert over_time.shape == (timeline.steps_of_samples(len(audio)), 7)
    assert over_time.dtype == np.float32
    np.testing.assert_allclose(over_time.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(listener.classify(audio), over_time.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 17, 31, 190, 10_000])
def test_frames_in_any_pieces_give_the_whole_songs_steps(listener, chunk):
    frames = log_mel(band(7), SOUND)
    whole = listener.genre_of_frames(frames)
    stepper = listener.stepper()
    pieces = [frames[first : first + chunk] for first in range(0, len(frames), chunk)]
    steps = np.concatenate([stepper.push(piece) for piece in pieces])
    np.testing.assert_allclose(steps, whole, atol=1e-5)


def test_a_step_comes_as_soon_as_its_frames_are_there(listener):
    frames = log_mel(band(4), SOUND)
    stepper = listener.stepper()
    ends = [0, 0, PATCH - 1, PATCH, PATCH, PATCH + STRIDE - 1, PATCH + STRIDE, len(frames)]
    pieces = itertools.pairwise(ends)
    steps = [stepper.push(frames[start:stop]).shape for start, stop in pieces]
    assert steps == [(0, 7), (0, 7), (1, 7), (0, 7), (0, 7), (1, 7), (1, 7)]


def test_later_frames_do_not_change_earlier_steps_by_a_bit(listener):
    frames = log_mel(band(8), SOUND)
    changed = frames.copy()
    changed[PATCH + 2 * STRIDE :] = log_mel(band(8, seed=1), SOUND)[PATCH + 2 * STRIDE :]
    before, after = listener.genre_of_frames(frames), listener.genre_of_frames(changed)
    np.testing.assert_array_equal(before[:3], after[:3])
    assert (before[3:] != after[3:]).any(axis=1).all()


def test_streaming_a_real_song_in_any_chunks_gives_the_whole_answer(listener, shared_fma):
    file = sorted(shared_fma.glob("fma_small/*/*.mp3"))[10]
    samples, rate = read_audio(file)
    samples = samples[: 9 * rate]
    whole = listener.genre_over_time(resample(mix_down(samples), rate, 16_000))
    generator = np.random.default_rng(0)
    for largest in (500, 30_000):
        stream = SongStream(listener, rate=rate, channels=samples.shape[1])
        steps, first = [], 0
        while first < len(samples):
            chunk = int(generator.integers(1, largest))
            steps += stream.push(samples[first : first + chunk])
            first += chunk
        steps += stream.finish()
        heard = np.array([step.probabilities for step in steps])
        np.testing.assert_allclose(heard, whole, atol=1e-5)


def test_what_a_song_does_later_changes_no_step_that_has_ended(listener, shared_fma):
    file = sorted(shared_fma.glob("fma_small/*/*.mp3"))[10]
    samples, rate = read_audio(file)
    samples = samples[: 8 * rate]
    change = int(5.3 * rate)
    other = samples.copy()
    other[change:] = np.random.default_rng(0).normal(0, 0.5, other[change:].shape)

    def hear(song: np.ndarray) -> list[Step]:
        stream = SongStream(listener, rate=rate, channels=song.shape[1])
        pieces = [stream.push(song[first : first + 7_001]) for first in range(0, len(song), 7_001)]
        return [*itertools.chain(*pieces), *stream.finish()]

    steps = list(zip(hear(samples), hear(other), strict=True))
    ended = [step for step in steps if step[0].end <= change / rate]
    assert 0 < len(ended) < len(steps)
    for before, after in ended:
        assert (before.start, before.end) == (after.start, after.end)
        np.testing.assert_array_equal(before.probabilities, after.probabilities)
    before, after = steps[-1]
    assert np.abs(before.probabilities - after.probabilities).max() > 0.01


def test_as_one_onnx_network_it_answers_the_same_and_gives_its_embedding(untrained, tmp_path):
    import keras
    import onnxruntime

    listener = Listener(untrained)
    save_onnx(listener, tmp_path / "musicnn.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "musicnn.onnx")
    frames = np.random.default_rng(3).normal(-7, 3, (400, SOUND.n_mels)).astype(np.float32)
    over_time, genre, embedding = session.run(
        ["genre_over_time", "genre", "embedding"], {"log_mel": frames[None]}
    )
    expected = listener.genre_of_frames(frames)
    np.testing.assert_allclose(over_time[0], expected, atol=1e-5)
    np.testing.assert_allclose(genre[0], expected.mean(axis=0), atol=1e-5)
    before_tags = keras.Model(untrained.input, untrained.layers[-2].output)(frames[None])
    np.testing.assert_allclose(embedding[0], before_tags, rtol=1e-4, atol=1e-4)
    assert embedding.shape == (1, len(expected), EMBEDDING)


def test_less_than_three_seconds_are_refused_with_the_rule(listener):
    with pytest.raises(SongNetError, match=r"at least 2\.98 s .* Got 2\.9"):
        listener.genre_over_time(band(2.96))
    assert listener.genre_over_time(band(2.98)).shape == (1, 7)


def test_every_genre_but_international_has_its_tag():
    assert len(TAGS) == len(set(TAGS)) == 50
    assert set(TAG_OF_GENRE.values()) <= set(TAGS)
    assert all(genre.lower() == tag.lower() for genre, tag in TAG_OF_GENRE.items())
    assert list(TAG_OF_GENRE) == list(CENTRES)
    assert "International" not in TAG_OF_GENRE


def test_a_tag_at_its_centre_counts_as_much_as_any_other_at_its_own():
    logits = np.zeros((2, 50), np.float32)
    for genre, tag in TAG_OF_GENRE.items():
        logits[:, TAGS.index(tag)] = CENTRES[genre]
    logits[1, TAGS.index("folk")] += np.log(6)
    even, folk = genre_of_tags(logits, CENTRES)
    np.testing.assert_allclose(even, 1 / 7, atol=1e-6)
    np.testing.assert_allclose(folk, [1 / 12, 1 / 12, 6 / 12, *[1 / 12] * 4], atol=1e-6)


def test_centres_weigh_genres_alike_and_clips_within_a_genre():
    def clip(rock: float, steps: int) -> np.ndarray:
        logits = np.zeros((steps, 50), np.float32)
        logits[:, TAGS.index("rock")] = rock
        return logits

    # Rock: (1 + 3) / 2 = 2; International: 8; each genre the same weight: 5.
    centres = learn_centres([clip(1, 4), clip(3, 1), clip(8, 2)], ["Rock", "Rock", "International"])
    assert centres["Rock"] == pytest.approx(5)
    assert centres["Pop"] == 0


def test_a_clip_is_answered_without_its_artist():
    def clip(rock: float, pop: float) -> np.ndarray:
        logits = np.full((1, 50), -9, np.float32)
        logits[:, TAGS.index("rock")], logits[:, TAGS.index("pop")] = rock, pop
        return logits

    # Artist a's second clip is so much "pop" that it would lift the centre above the first.
    logits = [clip(0, 2), clip(0, 50), clip(1, 1), clip(0, 0)]
    genres, artists = ["Pop", "Pop", "Rock", "International"], ["a", "a", "b", "c"]
    assert list(answers_without_artist(logits, genres, artists)) == [
        ("Pop", "Pop", "a"),
        ("Pop", "Pop", "a"),
        ("Rock", "Rock", "b"),
    ]


@pytest.mark.parametrize(("state", "said"), [("missing", "is not there"), ("cut", "is not whole")])
def test_missing_or_damaged_weights_say_how_to_get_them(tmp_path, musicnn_data, state, said):
    if state == "cut":
        for file in (musicnn_data / "musicnn").rglob("*"):
            if file.is_file():
                copy = tmp_path / file.relative_to(musicnn_data)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(SongNetError, match=rf"{said}\. Run `songnet fetch musicnn`"):
        load_musicnn(tmp_path)


def test_it_names_real_genres_with_centres_learnt_without_the_artist(listener, shared_fma):
    """At least .40 of the clips whose genre has a tag; and the shipped centres are these clips'."""
    from songnet_utils.corpora import open_corpus

    clips = open_corpus(shared_fma).clips
    artists = clips["artist"].where(clips["artist"].notna(), "unknown " + clips["id"])
    logits = [listener.tags_over_time(load_audio(file, 16_000)) for file in clips["file"]]
    answers = list(answers_without_artist(logits, list(clips["genre"]), list(artists)))
    right = np.array([genre == answer for genre, answer, _ in answers])
    low, high = wilson_interval(int(right.sum()), len(right))
    artist_low, artist_high = artist_interval(right, [artist for *_, artist in answers])
    print(
        f"\nlistener on {len(right)} real clips of {len({a for *_, a in answers})} artists: "
        f"{right.mean():.3f} (95 %: {low:.3f} to {high:.3f}; artists as the unit: "
        f"{artist_low:.3f} to {artist_high:.3f})"
    )
    for genre, group in itertools.groupby(sorted(answers), key=lambda answer: answer[0]):
        given = [answer for _, answer, _ in group]
        print(f"  {genre}: {given.count(genre)} of {len(given)}")
    assert len(right) >= 100
    assert right.mean() >= 0.40
    learnt = learn_centres(logits, list(clips["genre"]))
    assert learnt == pytest.approx(CENTRES, abs=2e-3)
