"""A static place for the listening page: a folder with networks, and pages that listen in it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from networks import used
from playwright.sync_api import Page

PAGE = Path(__file__).resolve().parents[2] / "songnet_utils" / "widgets" / "page"
GENRES = ("Electronic", "Folk", "Hip-Hop", "Rock")


def small_songnet(units: int = 64, rate: int = 22_050) -> Any:
    """Return an untrained songnet that says different things at different times."""
    from songnet_utils.audio.sound import Sound
    from songnet_utils.models.building import keras
    from songnet_utils.models.paper import songnet
    from songnet_utils.models.trained import SongNet, centre

    keras.utils.set_random_seed(1)
    sound = Sound(sample_rate=rate)
    model = used(songnet(sound, GENRES, filters=units))
    centre(model, np.full(128, -4.0), np.full(128, 3.0))
    return SongNet(model, sound, GENRES, name="songnet", training_music="nothing")


def some_network(kind: str) -> Any:
    """Return one of the small networks of `networks`, of 8 kHz sound."""
    from networks import GENRES, SOUND, network

    from songnet_utils.models.trained import SongNet

    return SongNet(used(network(kind)), SOUND, GENRES, name=kind)


def write_place(folder: Path, networks: Mapping[str, Any]) -> Path:
    """Write a static page, with its assets as scripts, and return its path."""
    from songnet_utils.widgets.page import contents

    shown = contents(list(networks.values()))
    # Without musicnn, which comes last.
    offers = [{**told, "name": n} for n, told in zip(networks, shown.networks, strict=False)]
    (folder / "assets" / "networks").mkdir(parents=True)
    for name in ("ort.wasm", *(told["asset"] for told in offers)):
        (folder / "assets" / f"{name}.js").write_text(shown.asset_script(name))
    manifest = dataclasses.replace(shown, networks=offers).manifest_script()
    (folder / "manifest.js").write_text(manifest)
    shutil.copy(PAGE / "vendor" / "songnet.js", folder)
    page = folder / "index.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>A place</title>'
        '<input type="file" id="song"><div class="songnet-page" data-base=""></div>'
        '<script src="songnet.js"></script>'
    )
    return page


def wait_until_ready(page: Page) -> dict[str, Any]:
    page.wait_for_function("window.songnet !== undefined")
    return page.evaluate("songnet.ready")


# Listens to the file that is chosen, with everything that the engine tells.
_LISTEN = """async (network) => {
  const file = document.querySelector("#song").files[0];
  const told = {facts: [], frames: 0, steps: [], first: null};
  const begun = performance.now();
  try {
    told.heard = await songnet.engine.listen(file, network, {
      onFacts: ({cover, ...facts}) => told.facts.push({...facts, cover: cover && cover.size}),
      onFrames: ({frames, n_mels}) => { told.frames += frames.length / n_mels; },
      onSteps: ({first, steps}) => {
        told.first ??= performance.now() - begun;
        if (first !== told.steps.length) throw new Error("a step is missing");
        told.steps.push(...steps.map((one) => [one.start, one.end, ...one.probabilities]));
      },
    });
  } catch (error) {
    told.error = error.message;
  }
  told.ms = performance.now() - begun;
  return told;
}"""


def listen(page: Page, song: Path, network: str = "songnet") -> dict[str, Any]:
    """Return what the engine tells of a file; `steps` as an array of start, end, probabilities."""
    page.set_input_files("#song", song)
    told = page.evaluate(_LISTEN, network)
    told["steps"] = np.array(told["steps"])
    return told
