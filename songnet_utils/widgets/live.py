"""The live song in a notebook: the page that listens, with a network and clips from Python.

The browser decodes, listens, plays and draws; Python hands over the networks and the clips, and
otherwise hears nothing of what happens on the page. Only a song for which somebody presses Keep
comes here: it is added to one's own songs (`songnet_utils.corpora.own`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import size_text
from songnet_utils.corpora import open_corpus, own_songs
from songnet_utils.corpora.own import MOST_BYTES
from songnet_utils.widgets import page
from songnet_utils.widgets.messages import MOST_IN_MESSAGE, Content, Messages, first_of

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.widgets.page import Source

# Where there is no kernel, the site's own files stand in for Python (see `page.write_page`).
_STATIC = '<div class="songnet-page" data-base="../_static/songnet/"></div>'


class LiveSong(Messages):
    """Choose a clip or bring a song, press play, and watch its genre while it plays.

    Parameters
    ----------
    corpus : Corpus or str, optional
        Whose clips can be chosen: a corpus, or what `open_corpus` takes. By default only a medley
        of eight genres.
    networks : sequence of Network or path or str, optional
        Which networks can be asked: networks, the folders of finished runs, or ONNX files. The
        first is asked about clips. By default songnet trained on mini, and your newest run, if
        any. musicnn, which is asked about your own songs, is always there.
    song : str or path, optional
        The clip (its id) or the file that is shown first; the medley by default.

    Raises
    ------
    SongNetError
        When the corpus or a network cannot be opened, or there is no such song.

    Notes
    -----
    Messages from the page: ``hello``; ``asset`` (name); ``keep`` (id; at and of, which piece of how
    many; name, genre, title, artist) with a piece of the song. To the page: ``manifest`` (networks,
    clips, keep); ``piece`` (name; at, of; gzip) with a piece of an asset; ``kept`` (id, text);
    ``error`` (name or id, text).
    """

    _esm = f"{page.script()}\nexport default SongNetPage.widget;"

    def __init__(
        self,
        corpus: Corpus | str | None = None,
        networks: Sequence[Source] | Source | None = None,
        song: str | os.PathLike[str] | None = None,
        **widget: Any,
    ) -> None:
        if isinstance(corpus, str):
            corpus = open_corpus(corpus)
        clips = [page.medley_clip(), *(page.clips_of(corpus) if corpus is not None else ())]
        if song is not None:
            clips.insert(0, _first(corpus, os.fspath(song)))
        self._contents = page.contents(networks, clips)
        self._coming: dict[str, list[bytes]] = {}
        super().__init__(**widget)

    def __repr__(self) -> str:
        """Say what stands in the widget's place where there is neither kernel nor HTML."""
        return "The live song: open this notebook in JupyterLab (`make lab`) and run it."

    def _table(self) -> str:
        return _STATIC

    def _hello(self, content: Content, buffers: list) -> None:
        shown = self._contents
        self._tell("manifest", networks=shown.networks, clips=shown.clips, keep=True)

    def _asset(self, content: Content, buffers: list) -> None:
        name = content.text("name")
        self._start(self._hand_over, name, about={"name": name})

    def _hand_over(self, name: str) -> None:
        packed = self._contents.packed(name)
        of = -(-len(packed) // MOST_IN_MESSAGE)
        for at in range(of):
            piece = packed[at * MOST_IN_MESSAGE : (at + 1) * MOST_IN_MESSAGE]
            self._tell("piece", [piece], name=name, at=at, of=of, gzip=True)

    def _keep(self, content: Content, buffers: list[memoryview]) -> None:
        key, at, of = content.text("id"), content.whole("at"), content.whole("of")
        if at == 0:
            self._coming[key] = []
        pieces = self._coming.get(key)
        if pieces is None or at != len(pieces):
            return  # It has been refused.
        pieces.append(bytes(first_of(buffers)))
        if sum(map(len, pieces)) > MOST_BYTES:
            del self._coming[key]
            text = f"at most {size_text(MOST_BYTES)} of a song are kept. Cut it, or choose another."
            self._tell("error", id=key, text=text)
        elif at == of - 1:
            told = {what: content.text(what) for what in ("name", "genre", "title", "artist")}
            self._start(self._add, key, self._coming.pop(key), told, about={"id": key})

    def _add(self, key: str, pieces: list[bytes], told: dict[str, str]) -> None:
        song = own_songs().add(b"".join(pieces), **told)
        self._tell("kept", id=key, text=f"{song} is kept: {song.file}")

    _handlers: ClassVar[dict[str, Callable[[LiveSong, Content, list], None]]] = {
        **{"hello": _hello, "asset": _asset, "keep": _keep}
    }


def _first(corpus: Corpus | None, song: str) -> page.Clip:
    """Return a clip of a corpus by its id, or a file."""
    if corpus is not None and song in set(corpus.clips.id):
        chosen = corpus.clips[corpus.clips.id == song].reset_index(drop=True)
        return page.clips_of(dataclasses.replace(corpus, clips=chosen))[0]
    file = Path(song)
    if not file.is_file():
        raise SongNetError(f"{song}: is neither the id of a clip nor a file. Check its spelling.")
    facts = dict.fromkeys(("artist", "genre", "credit"), "")
    return page.Clip({"file": file.name, "title": file.stem, **facts}, file)
