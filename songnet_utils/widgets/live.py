"""The live song in a notebook: the listening page, with networks and clips from Python.

The browser decodes, listens, plays and draws. Python hands over the networks and the clips and
learns nothing else of what happens on the page. Only a song for which you press Keep comes to
Python, which adds it to your own songs (`songnet_utils.corpora.own`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from songnet_utils.corpora import own_songs
from songnet_utils.corpora.own import MOST_BYTES
from songnet_utils.widgets import page
from songnet_utils.widgets.messages import MOST_IN_MESSAGE, Message, Messages
from songnet_utils.widgets.recording import WithRecording

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.widgets.page import Source


class LiveSong(WithRecording, Messages):
    """Choose a clip or open a song, press Play, and watch its genre while it plays.

    Parameters
    ----------
    corpus : Corpus, optional
        The corpus whose clips to offer, besides a medley of eight genres.
    networks : sequence of Network or path or str, optional
        The networks to offer: networks, the folders of finished runs, or ONNX files. The
        first answers for clips. The default is songnet trained on mini, and your newest run, if
        any. The page always offers musicnn, too, which answers for your own songs.

    Raises
    ------
    SongNetError
        When a network cannot be opened.

    Notes
    -----
    Messages from the page: ``hello``; ``asset`` (name); ``keep`` (id; the number ``at`` of a piece
    and their count ``of``; name, genre, title, artist) with a piece of the song. Messages to the
    page: ``manifest`` (networks, clips, keep); ``piece`` (name; at, of; gzip) with a piece of an
    asset; ``kept`` (id, text); ``error`` (name or id, text).
    """

    _slow = ("asset",)
    _esm = f"{page.script()}\nexport default SongNetPage.widget;"

    def __init__(
        self,
        corpus: Corpus | None = None,
        networks: Sequence[Source] | None = None,
        **widget: Any,
    ) -> None:
        clips = [page.medley_clip(), *(page.clips_of(corpus) if corpus is not None else ())]
        self._contents = page.contents(networks, clips)
        self._coming: dict[str, bytes] = {}
        super().__init__(**widget)

    def _still_html(self) -> str:
        # Without a kernel, the site's own files replace Python (`page.write_page`).
        return '<div class="songnet-page" data-base="../_static/songnet/"></div>'

    def _about(self, content: dict[str, Any]) -> dict[str, Any]:
        key = "id" if content["kind"] == "keep" else "name"
        return {key: content[key]}

    def _on_hello(self, content: dict[str, Any], buffers: Any) -> Message:
        shown = {"networks": self._contents.networks, "clips": self._contents.clips}
        return {"kind": "manifest", **shown, "keep": True}, []

    def _on_asset(self, content: dict[str, Any], buffers: Any) -> None:
        packed = self._contents.packed(content["name"])
        pieces = range(0, len(packed), MOST_IN_MESSAGE)
        about = {"kind": "piece", "name": content["name"], "of": len(pieces), "gzip": True}
        for number, at in enumerate(pieces):
            self._tell({**about, "at": number}, [packed[at : at + MOST_IN_MESSAGE]])

    def _on_keep(self, content: dict[str, Any], buffers: list[memoryview]) -> Message | None:
        key = content["id"]
        if content["at"] == 0:
            self._coming[key] = b""
        if key not in self._coming:
            return None  # An earlier piece was refused.
        self._coming[key] += buffers[0].tobytes()
        is_whole = content["at"] == content["of"] - 1
        if not is_whole and len(self._coming[key]) <= MOST_BYTES:
            return None
        about = {what: content[what] for what in ("name", "genre", "title", "artist")}
        # This refuses a song that is too large.
        song = own_songs().add(self._coming.pop(key), **about)
        return {"kind": "kept", "id": key, "text": f"{song} is saved as {song.file}"}, []
