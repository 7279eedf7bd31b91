"""The commands: parse, call, print.

``songnet …`` and ``python -m songnet_utils.cli …`` are the same.
Each command is one function that parses nothing and decides nothing: it calls what does the work
and prints what comes back. Answers go to stdout, everything else (progress, notes, errors) to
stderr. The exit code is 0 only when all that was asked for was done. What a command needs is
imported when it runs, so that ``--help`` is there at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from songnet_utils._utils.errors import MOST_SEED, SongNetError, SongNetWarning, did_you_mean
from songnet_utils._utils.files import check_working_folder
from songnet_utils._utils.tables import UnprintedError, print_note, safe_streams

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.streaming.network import Network

#: The exit codes besides 0.
FAILED, MISUSED, STOPPED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``songnet`` on the command line; ``sys.argv[1:]`` by default.
    """
    with safe_streams(), warnings.catch_warnings():
        # Once each, whatever reads the same file again.
        warnings.simplefilter("default", SongNetWarning)
        warnings.showwarning = _show_warning
        code, message = _run(arguments)
        # Said only now: when the exception is gone, so are the progress bars of its loops.
        return _complain(message, code) if message else code


def _run(arguments: Sequence[str] | None) -> tuple[int, str]:
    """Run a command; return its exit code, and what to say of an end that was not planned."""
    try:
        try:
            options = _parser().parse_args(arguments)
            check_working_folder()
            return options.run(options), ""
        finally:
            # What is not printed yet may not come through.
            sys.stdout.flush()
    except SongNetError as error:
        return FAILED, str(error)
    except KeyboardInterrupt:
        return STOPPED, "stopped. The same command goes on where it was."
    except UnprintedError as error:
        # When whoever read our answers (head, less) has gone, there is nobody to tell.
        gone = isinstance(error.__cause__, BrokenPipeError)
        return FAILED, "" if gone else (
            f"standard output: cannot be printed to ({error}). Send it elsewhere: songnet … > FILE"
        )
    except OSError as error:
        if error.filename is None:
            raise
        return FAILED, f"{error.filename}: {error.strerror}"


def _complain(message: object, code: int) -> int:
    """Print a message in one line on stderr; return `code`."""
    _note(" ".join(str(message).split()))
    return code


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Print our own warnings in one line, and all others as Python does."""
    if issubclass(category, SongNetWarning):
        _note(" ".join(str(message).split()))
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _note(message: str) -> None:
    print_note(f"songnet: {message}")


class _Parser(argparse.ArgumentParser):
    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Suggest the nearest of the choices, which argparse does from Python 3.14 on."""
        if action.choices is not None and value not in action.choices:
            choices = list(action.choices)
            raise argparse.ArgumentError(
                action,
                f"one of {', '.join(choices)}; got {value!r}.{did_you_mean(value, choices)}",
            )

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong (argparse prints the whole usage before it)."""
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(MISUSED, f"{self.prog}: {message}{end} See {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="songnet",
        description="Music genre recognition, from clips to a network that listens.",
        epilog="Corpora, features and runs are kept in ./data, or where $SONGNET_DATA says.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(name: str, run: Any, summary: str, epilog: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
        added.set_defaults(run=run)
        return added

    corpora = command(
        "corpora",
        _corpora,
        "List the corpora: what there is, what is on disk, size, licence; or describe one.",
    )
    _add_corpus(corpora, nargs="?")
    corpora.add_argument(
        "--credits", action="store_true", help="print each clip's id and credit line instead"
    )

    features = command(
        "features",
        _features,
        "Compute the log-mel frames and MFCC statistics of a corpus, and other statistics.",
        "They are kept in data/features, or where $SONGNET_STORE says: a folder or an address of "
        "object storage.",
    )
    _add_corpus(features)
    how = features.add_mutually_exclusive_group()
    how.add_argument(
        "--workers", type=_whole(1), metavar="N", help="tasks at once here (default: all cores)"
    )
    how.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="let the workers of this Dask scheduler (tcp://…) do the tasks",
    )
    features.add_argument(
        "--sets",
        type=_names,
        default=[],
        metavar="A,B,…",
        help="hand-crafted statistics besides the MFCCs': fma, tzanetakis, …",
    )

    train = command("train", _train, "Train a model on a corpus, or go on with a stopped run.")
    _add_corpus(train)
    train.add_argument(
        "--model",
        help="songnet (default, or that of the run of --from); songnet-bn, songnet-lstm, "
        "crnn-2d, cnn-2d, cnn-mfcc, songnet-meta, songnet-plus, songnet-transfer; a network "
        "without one of its parts, as in songnet~batch-norm; chance; knn, lr, mlp, svm or "
        "svm-linear on 140 MFCC statistics, with -518 on FMA's 518 features, with -meta "
        "on the 140 and what is known of a song (artist, year, …); tzanetakis-knn, "
        "tzanetakis-gmm, mandel-ellis, deshpande-knn, deshpande-gmm, deshpande-svm",
    )
    train.add_argument(
        "--split",
        default="random",
        help="random (default), artist (no artist in two sets), or official",
    )
    _add_genres(train)
    train.add_argument(
        "--seed", type=_whole(0, MOST_SEED), default=0, help="of all that is random (0)"
    )
    train.add_argument("--epochs", type=_whole(1), help="at most so many")
    train.add_argument(
        "--out", type=Path, metavar="DIR", help="default: data/runs/CORPUS/MODEL-SPLIT-SEED"
    )
    train.add_argument("--force", action="store_true", help="start a finished run afresh")
    train.add_argument(
        "--from",
        type=Path,
        metavar="RUN",
        dest="start",
        help="fine-tune: start from the weights of this finished run, at a fifth of the learning "
        "rate; nothing is tested that it was trained on",
    )
    train.add_argument(
        "--tensorboard",
        action="store_true",
        help="write a network's figures for TensorBoard, too, into the run's folder",
    )

    compare = command(
        "compare",
        _compare,
        "Train several models on several splits and compare them, with intervals.",
    )
    _add_corpus(compare)
    compare.add_argument(
        "--models",
        type=_names,
        default=["chance", "svm", "songnet"],
        metavar="A,B,…",
        help="default: chance,svm,songnet; also baselines, networks, all, and NAME~each: a network "
        "and the same without each of its parts and with what was tried besides",
    )
    compare.add_argument(
        "--splits",
        type=_names,
        default=["random", "artist"],
        metavar="A,B,…",
        help="random, artist or official, which has no folds (default: random,artist)",
    )
    _add_genres(compare)
    compare.add_argument(
        "--seeds",
        type=_whole(1),
        default=1,
        metavar="N",
        help="repeat with seeds 0 … N − 1 (default: 1 seed)",
    )
    compare.add_argument(
        "--folds",
        type=_whole(2),
        metavar="K",
        help="test every clip once a seed, in K folds (default: one train/validation/test split)",
    )
    compare.add_argument(
        "--set",
        default="test",
        help="compare answers for test clips (default), or for validation clips, to choose by",
    )
    compare.add_argument("--dask", metavar="ADDRESS", help="let a Dask cluster make the runs")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")

    evaluate = command(
        "evaluate",
        _evaluate,
        "Look at one finished run: each genre, how sure it is, and how soon it is right.",
        "Of a baseline only the genres: the rest needs probabilities over time.",
    )
    evaluate.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    _add_own_corpus(evaluate)
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write all of it there, too")

    kernels = command(
        "kernels",
        _kernels,
        "Show the kernels of a run's network as a page: what each one likes, to see and to hear.",
        "The page needs no network connection; it plays music of the corpus, with its credits.",
    )
    kernels.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    _add_own_corpus(kernels)
    kernels.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to write it (default: RUN/kernels)"
    )

    classify = command(
        "classify",
        _classify,
        "Name the genre of sound files.",
        "Without --run or --model the pretrained listener answers where it is there, else the "
        "newest run.",
    )
    classify.add_argument(
        "files", nargs="+", metavar="FILE|FOLDER", help="sound files, or folders of them"
    )
    who = classify.add_mutually_exclusive_group()
    who.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        dest="run_folder",
        help="the network of this training run",
    )
    who.add_argument("--model", choices=["musicnn"], help="the pretrained listener")
    classify.add_argument("--json", action="store_true", help="print one JSON object a file")

    app = command(
        "app",
        _app,
        "Open the page that listens: songs and the microphone, heard in your browser.",
        "It listens on this machine only. Ctrl-C ends it.",
    )
    app.add_argument(
        "--port",
        type=_whole(0, 65_535),
        metavar="N",
        default=8765,
        help="where to listen (8765; 0: any free port)",
    )
    app.add_argument("--no-browser", action="store_true", help="only print the page's address")
    app.add_argument(
        "--run",
        action="append",
        metavar="DIR",
        dest="networks",
        help="a run whose network can be asked; may be given several times (default: the newest "
        "run, if any); songnet trained on mini and musicnn are always there",
    )

    fetch = command(
        "fetch",
        _fetch,
        "Bring clips of the Free Music Archive, or the pretrained listener (musicnn).",
        "Run again, it goes on where it was stopped, and mends what is damaged.",
    )
    fetch.add_argument(
        "what",
        metavar="WHAT",
        choices=["fma_small", "fma_medium", "fma_large", "fma_full", "fma_metadata", "musicnn"],
        help="fma_small, fma_medium, fma_large, fma_full, fma_metadata or musicnn",
    )
    fetch.add_argument(
        "--sample",
        type=_whole(1),
        metavar="N",
        help="of fma_small only N clips a genre, without the rest (the corpus fma_sample)",
    )
    fetch.add_argument(
        "--base-url", metavar="URL", help="the folder of FMA's archives on another web server"
    )
    fetch.add_argument("--dir", type=Path, help="the data folder (default: ./data)")

    course = command("course", _course, "Run the notebooks in order and leave their site.")
    site = command("site", _site, "Leave the site, and run only notebooks that were changed.")
    for one in (course, site):
        one.add_argument("--notebooks", type=Path, metavar="DIR", help="default: this project's")
        one.add_argument("--out", type=Path, metavar="DIR", help="default: build/course")
    return parser


def _add_corpus(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    parser.add_argument(
        "corpus",
        nargs=nargs,
        metavar="CORPUS",
        help="mini, fma_small, … or a folder: GENRE/clip.* or FMA's layout",
    )


def _add_genres(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--genres", metavar="A,B,…", help="only these (default: all)")


def _add_own_corpus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus",
        metavar="CORPUS",
        help="what it was trained on, where that has moved (default: as its record says)",
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"names with commas between, each once; got {text!r}")
    return names


def _whole(least: int, most: int | None = None) -> Any:
    def whole(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            range_ = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"a whole number {range_}; got {text!r}")
        return value

    return whole


def _corpora(options: argparse.Namespace) -> int:
    from songnet_utils._utils.files import size_text
    from songnet_utils.corpora import credit, list_corpora, open_corpus

    if options.corpus is not None:
        corpus = open_corpus(options.corpus)
        if options.credits:
            for clip in corpus.clips.itertuples():
                print(f"{clip.id}\t{credit(clip, corpus.name)}")
        else:
            _tell_of(corpus)
        return 0
    if options.credits:
        raise SongNetError("--credits needs a corpus: songnet corpora CORPUS --credits")
    for row in list_corpora().itertuples():
        where = (
            f"{row.clips:,} clips in {row.folder}"
            if row.on_disk
            else "not here (size of the download)"
            if row.bytes
            else "not here"
        )
        # What is not here would have to be downloaded.
        size = size_text(row.bytes) if row.bytes else ""
        print(f"{row.name:11} {size:>12}  {where}")
        for text in (row.description, row.licence, row.citation):
            print(f"{'':11} {'':>12}  {text}")
    return 0


def _tell_of(corpus: Corpus) -> None:
    """Print what a corpus holds, how it splits, what is wrong with it, and under what terms."""
    import pandas as pd

    from songnet_utils.corpora import licence_table
    from songnet_utils.corpora.splits import SETS, artist_overlap, copies_in_two_sets, every_split

    clips = corpus.clips
    print(f"{corpus.name}: {corpus.description}")
    print(f"{len(clips):,} clips of {clips.artist.nunique():,} known artists")
    counts = clips.groupby("genre").artist.agg(["size", "nunique"])
    print("\nclips and artists of each genre")
    print(counts.set_axis(["clips", "artists"], axis=1).rename_axis(None).to_string())
    sets, reasons = every_split(clips)
    for kind, subset in sets.items():
        dealt = clips.loc[subset.index]
        copies = copies_in_two_sets(dealt, subset)
        print(
            f"\n{kind} split, seed 0: clips of each genre; artists in two sets: "
            f"{artist_overlap(dealt, subset):,}"
            + (f"; copies in two sets: {copies:,}" if copies else "")
        )
        table = pd.crosstab(dealt.genre, subset)[list(SETS)]
        table.loc["all"] = table.sum()
        print(table.rename_axis(None).rename_axis(None, axis=1).to_string())
        for genre in corpus.genres:
            if genre not in table.index:
                print(f"{genre} is too small for this split: left out")
    for kind, reason in reasons.items():
        print(f"\n{kind} split: none: {reason}")
    print("\nlicences of the clips")
    print(licence_table(clips.licence).rename_axis(None).to_string())
    if len(corpus.unusable):
        print(f"\n{len(corpus.unusable):,} cannot be used")
        for reason, number in corpus.unusable.reason.value_counts().items():
            print(f"{number:,} × {reason}")
    if corpus.notes:
        print("\nfound and dealt with")
        print("\n".join(corpus.notes))
    print(f"\nLicence:  {corpus.licence}")
    print(f"Citation: {corpus.citation or 'none asked for'}")


def _features(options: argparse.Namespace) -> int:
    from songnet_utils.corpora import open_corpus
    from songnet_utils.features import feature_set
    from songnet_utils.features.store import LogMelStore

    for name in options.sets:
        # Said before hours of work, not after.
        feature_set(name)
    corpus = open_corpus(options.corpus)
    where = {"workers": options.workers, "dask": options.dask}
    prepared = LogMelStore().prepare(corpus, **where)
    for note in prepared.notes(prepared.clips):
        _note(note)
    print(f"{corpus.name}: the frames of {len(prepared.clips):,} clips are ready.")
    for name in options.sets:
        columns = prepared.hand_crafted(name, **where).shape[1]
        print(f"{corpus.name}: {columns} {name} statistics of each clip are ready.")
    return _name_unusable(prepared.unusable)


def _name_unusable(unusable: Any) -> int:
    """Name clips that cannot be used; return the exit code."""
    _name_first(f"{row.id}: {row.reason}" for row in unusable.itertuples())
    return FAILED if len(unusable) else 0


def _name_first(left_out: Iterable[str], most: int = 10) -> None:
    """Name what was left out, the first of many."""
    entries = list(left_out)
    for entry in entries[:most]:
        _note(f"left out: {entry}")
    if len(entries) > most:
        _note(f"left out: {len(entries) - most:,} more, listed in the store's unusable-*.csv")


def _train(options: argparse.Namespace) -> int:
    from songnet_utils.corpora.splits import SETS
    from songnet_utils.training.runs import read_record
    from songnet_utils.training.train import train

    folder = train(
        options.corpus,
        model=options.model,
        split=options.split,
        genres=options.genres,
        seed=options.seed,
        epochs=options.epochs,
        out=options.out,
        force=options.force,
        tensorboard=options.tensorboard,
        start=options.start,
    )
    record = read_record(folder)
    for note in record["notes"]:
        _note(note)
    for entry in record["left_out"]:
        _note(f"left out: {entry['genre']}: {entry['reason']}")
    _name_first(f"{entry['id']}: {entry['reason']}" for entry in record["unusable"])
    unknown = sum(record[subset]["clips_of_unknown_artists"] for subset in SETS)
    if unknown and record["split"] == "artist":
        clips = sum(record[subset]["clips"] for subset in SETS)
        _note(
            f"{unknown} of {clips} clips name no artist and count as an artist each: "
            "the split cannot keep those artists apart. Write artists into the files' tags."
        )
    start = f", from {record['from']['run']}" if "from" in record else ""
    print(
        f"{record['model']} on {record['corpus']}, {record['split']} split{start}: accuracy "
        "[95 % interval over artists]"
    )
    for subset in SETS:
        score = record[subset]
        low, high = score["confidence_interval"]
        artists = "" if score["artists"] is None else f" of {score['artists']:,} artists"
        print(
            f"{subset:10} {score['accuracy']:6.1%}  [{low:.1%} to {high:.1%}]  "
            f"{score['clips']:,} clips{artists}"
        )
        # Records of older runs have none.
        if note := score.get("interval_note"):
            print(f"{'':10} {note}")
    print(folder)
    return 0


def _compare(options: argparse.Namespace) -> int:
    from songnet_utils._utils.files import check_writable, write_json
    from songnet_utils.evaluation.compare import compare

    if options.json is not None:
        # Said before hours of work, not after.
        check_writable(options.json)
    comparison = compare(
        options.corpus,
        models=options.models,
        splits=options.splits,
        genres=options.genres,
        seeds=options.seeds,
        folds=options.folds,
        subset=options.set,
        dask=options.dask,
    )
    for note in comparison.notes:
        _note(note)
    for genre, reason in comparison.left_out.items():
        _note(f"left out: {genre}: {reason}")
    _name_first(f"{row.id}: {row.reason}" for row in comparison.unusable.itertuples())
    print(comparison.as_text())
    for failure in comparison.failures:
        _complain(f"failed: {failure['run']}: {failure['reason']}", FAILED)
    if options.json is not None:
        write_json(options.json, comparison.results)
    return FAILED if comparison.failures else 0


def _evaluate(options: argparse.Namespace) -> int:
    from songnet_utils._utils.files import check_writable, write_json
    from songnet_utils.evaluation.report import assess

    if options.json is not None:
        check_writable(options.json)
    assessment = assess(options.run_folder, options.corpus)
    print(assessment.as_text())
    if assessment.refused:
        _complain(assessment.refused, FAILED)
    if options.json is not None:
        write_json(options.json, assessment.as_dict())
    return FAILED if assessment.refused else 0


def _kernels(options: argparse.Namespace) -> int:
    from songnet_utils.widgets.kernels import gallery_of_run
    from songnet_utils.widgets.pages import check_free

    folder = options.out or options.run_folder / "kernels"
    # Said before minutes of work, not after.
    check_free(folder)
    gallery = gallery_of_run(options.run_folder, options.corpus)
    page = gallery.save(folder)
    pairs = f"{gallery.twins:,} pair{'s' if gallery.twins != 1 else ''} of twins"
    print(f"{gallery.title}: {gallery.dead:,} dead, {pairs}")
    print(page)
    return 0


def _classify(options: argparse.Namespace) -> int:
    from tqdm.auto import tqdm

    from songnet_utils.corpora import named_files
    from songnet_utils.training.runs import load_songnet

    if options.run_folder:
        net, which = load_songnet(options.run_folder), str(options.run_folder)
    elif options.model:
        net, which = load_songnet(options.model), options.model
    else:
        net, which = _default_network()
    if not options.json:
        print(f"{net.name}, trained on {net.training_music} ({which}). {net.caution}".rstrip())
    code = 0
    files: list[tuple[str, SongNetError | None]] = []
    for name in options.files:
        try:
            found, others = named_files(name)
        except SongNetError as error:
            files.append((name, error))
            continue
        files += [(file, None) for file in found]
        if others:
            _note(f"left out: {name}: {others:,} other file{'s' * (others != 1)}, by the ending")
    # Answers and errors are lines of their own: no bar where they would run into it.
    watched = sys.stderr.isatty() and not sys.stdout.isatty()
    for file, trouble in tqdm(files, unit="file", disable=not watched, leave=False):
        try:
            if trouble:
                raise trouble
            answer = _answer(net, file)
        except SongNetError as error:
            code = _complain(error, FAILED)
            answer = {"file": file, "error": " ".join(str(error).split())}
        if options.json:
            # In ASCII, it is whole in every encoding.
            print(json.dumps(answer), flush=True)
        elif "error" not in answer:
            first = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:3]
            chances = ", ".join(f"{genre} {chance:.0%}" for genre, chance in first)
            print(f"{file}: {answer['genre']} ({chances})", flush=True)
    return code


def _default_network() -> tuple[Network, str]:
    """Return the network that answers when none was named, and what to call its source."""
    from songnet_utils._utils.files import newest_run
    from songnet_utils.models.musicnn_fetch import musicnn_is_whole
    from songnet_utils.training.runs import load_songnet

    if musicnn_is_whole():
        return load_songnet("musicnn"), "musicnn"
    run = newest_run()
    if run is None:
        raise SongNetError(
            "There is no network to ask. Bring the pretrained listener with "
            "`songnet fetch musicnn`, or train one with `songnet train mini`."
        )
    return load_songnet(run), str(run)


def _answer(net: Network, file: str) -> dict[str, Any]:
    """Return what `classify --json` prints about a file."""
    import numpy as np

    from songnet_utils.streaming.song_stream import hear_song

    steps, seconds = hear_song(net, file)
    mean = np.mean([step.probabilities for step in steps], axis=0, dtype=float)
    return {
        "file": file,
        "seconds": seconds,
        "genre": net.genres[int(mean.argmax())],
        "probabilities": dict(zip(net.genres, mean.tolist(), strict=True)),
        "network": {
            "name": net.name,
            "training_music": net.training_music,
            "caution": net.caution,
        },
        "genres": list(net.genres),
        "steps": [
            {
                "start": step.start,
                "end": step.end,
                "probabilities": step.probabilities.tolist(),
            }
            for step in steps
        ],
    }


def _app(options: argparse.Namespace) -> int:
    from songnet_utils.widgets.app import App

    app = App(options.networks, port=options.port)
    print(app.address, flush=True)
    _note("the page is at this address. Ctrl-C ends it.")
    app.serve(browser=not options.no_browser)
    _note("ended.")
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from songnet_utils.corpora.fetch.fma import fetch_fma
    from songnet_utils.models.musicnn_fetch import fetch_musicnn

    if options.what != "musicnn":
        folder = fetch_fma(
            options.what,
            options.dir,
            sample=options.sample,
            base_url=options.base_url,
            say=_note,
        )
    elif options.sample or options.base_url:
        raise SongNetError("musicnn comes through pip; --sample and --base-url are for FMA's sets.")
    else:
        folder = fetch_musicnn(options.dir)
    print(folder)
    return 0


def _course(options: argparse.Namespace) -> int:
    from songnet_utils.lessons.course import course

    course(options.notebooks, options.out)
    return 0


def _site(options: argparse.Namespace) -> int:
    from songnet_utils.lessons.course import site

    site(options.notebooks, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
