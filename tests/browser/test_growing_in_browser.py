"""Grow the data in a real browser: bring a song, say what it is, have a network learn from it.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Locator, Page, expect
from toys import RATE

from songnet_utils.corpora import OwnSongs
from songnet_utils.training import read_record

# A kernel has to start first, and TensorFlow for some; on a busy machine that takes a while.
expect.set_options(timeout=60_000)


def whistle(seed: int, seconds: float = 6.0) -> bytes:
    """A high tone that trembles; a network that knows tones only takes it for a high one."""
    random, time = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 6_000 * random.uniform(0.9, 1.1) * time)
    sound *= 1 + 0.5 * np.sin(2 * np.pi * 8 * time)
    sound += 0.001 * random.normal(size=len(time))
    file = io.BytesIO()
    soundfile.write(file, sound.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def screenshot(page: Page | Locator, name: str) -> None:
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def upload(page: Page, name: str, content: bytes, widget: str = ".sn-live") -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator(f"{widget} input[type=file]").set_input_files([file])


def grow_of(page: Page) -> Locator:
    return page.get_by_role("group", name="Grow the data")


CELL = """
from toy import Toy
from songnet_utils.widgets import GrowSongs, LiveSong
live = LiveSong(None, [Toy()])
live
"""
BELOW = "grow = GrowSongs(live, songs={songs!r})\ngrow"
# No network that could learn, whatever other tests have left in the data folder.
ALONE = """
import os
os.environ["SONGNET_DATA"] = {data!r}
"""


@pytest.fixture
def own(tmp_path: Path) -> OwnSongs:
    return OwnSongs(tmp_path / "my-songs")


@pytest.fixture
def page(lab, own: OwnSongs, tmp_path: Path) -> Iterator[Page]:
    """The live song, and the widget below it; nothing has been brought."""
    data = ALONE.format(data=str(tmp_path / "data"))
    page = lab.open(
        [data + CELL, BELOW.format(songs=str(own.folder))], name="grow.ipynb", height=1500
    )
    expect(grow_of(page)).to_contain_text("Open a song of your own above")
    yield page
    assert page.complaints == [], "the browser's console has errors"
    page.context.close()


def test_a_song_is_brought_labelled_listed_changed_and_removed(page, own):
    grow = grow_of(page)
    expect(grow).to_contain_text("There is no network of your own yet that could learn.")
    expect(grow.get_by_role("button", name="Learn from my songs")).to_be_disabled()

    title = "<img src=x onerror=alert(1)> & co"
    upload(page, "../../wind.flac", whistle(1))
    expect(grow).to_contain_text("The network above says ")
    save = grow.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    # Everything by keyboard.
    grow.get_by_role("radio", name="Folk").focus()
    page.keyboard.press("Space")
    expect(grow.get_by_role("radio", name="Folk")).to_be_checked()
    grow.get_by_text("Title, artist, source, licence").focus()
    page.keyboard.press("Enter")
    grow.get_by_label("Title").fill(title)
    grow.get_by_label("Artist").fill("x" * 400)
    assert len(grow.get_by_label("Artist").input_value()) == 300
    grow.get_by_label("Artist").fill("Kettle")
    page.keyboard.press("Enter")
    expect(grow.get_by_role("status").first).to_have_text(f"Saved: “{title}” by Kettle is Folk.")
    (song,) = own.songs()
    assert (song.genre, song.title, song.artist) == ("Folk", title, "Kettle")
    assert own.file_of(song).read_bytes() == whistle(1)
    row = grow.get_by_role("listitem")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"{title} by Kettle")
    expect(row).to_contain_text("0:06")
    assert grow.locator("img").count() == 0

    # Known now: the form changes the genre.
    expect(grow).to_contain_text("It is among your songs already, as Folk; you can change that.")
    grow.get_by_role("radio", name="Rock").check()
    grow.get_by_role("button", name="Change its genre").click()
    expect(grow).to_contain_text("by Kettle is Rock now.")
    select = row.get_by_role("combobox", name=f"Genre of “{title}”")
    expect(select.locator("option:checked")).to_have_text("Rock")

    # From the list, to a genre that is new; a name that is none is said.
    select.select_option(label="another genre …")
    name = row.get_by_role("textbox", name=f"New genre of “{title}”")
    expect(name).to_be_focused()
    name.fill("../up")
    page.keyboard.press("Enter")
    expect(grow.get_by_role("alert")).to_contain_text("'../up' is no name for a genre.")
    expect(select.locator("option:checked")).to_have_text("Rock")
    select.select_option(label="another genre …")
    name.fill("Polka")
    page.keyboard.press("Enter")
    expect(select.locator("option:checked")).to_have_text("Polka")
    expect(grow.get_by_role("alert")).to_have_count(0)
    assert own.songs()[0].genre == "Polka"
    expect(grow.get_by_role("radio", name="Polka")).to_be_checked()

    # Removed only when that was meant.
    row.get_by_role("button", name=f"Remove “{title}”", exact=True).click()
    expect(row.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.get_by_role("button", name=f"Remove “{title}”", exact=True)).to_be_focused()
    assert len(own.songs()) == 1
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)
    expect(grow).to_contain_text("Removed: ")
    assert own.songs() == []
    expect(save).to_be_visible()


def test_a_clip_of_a_corpus_is_not_labelled(lab, own, tmp_path):
    (tmp_path / "tunes" / "Folk").mkdir(parents=True)
    (tmp_path / "tunes" / "Folk" / "one.flac").write_bytes(whistle(3))
    cell = CELL.replace("LiveSong(None", f"LiveSong({str(tmp_path / 'tunes')!r}")
    page = lab.open([cell, BELOW.format(songs=str(own.folder))], name="clip.ipynb")
    grow = grow_of(page)
    expect(grow).to_contain_text("“one” is a clip of the corpus, which says already what it is.")
    expect(grow.get_by_role("button", name="Save")).to_be_hidden()
    assert page.complaints == []
    page.context.close()


def test_files_are_chosen_where_there_is_no_live_song(lab, own, tmp_path):
    cell = (
        ALONE.format(data=str(tmp_path / "data"))
        + f"from songnet_utils.widgets import GrowSongs\nGrowSongs(songs={str(own.folder)!r})"
    )
    page = lab.open([cell], name="alone.ipynb", height=1100)
    grow = grow_of(page)
    expect(grow).to_contain_text("Choose songs of your own")
    files = [
        {"name": name, "mimeType": "audio/flac", "buffer": content}
        for name, content in [
            ("one.flac", whistle(1)),
            ("text.flac", b"no song " * 99),
            ("two.flac", whistle(2)),
            ("three.flac", whistle(3)),
        ]
    ]
    with page.expect_file_chooser() as chooser:
        grow.get_by_role("button", name="Choose songs").click()
    chooser.value.set_files(files)
    expect(grow.locator(".sg-name")).to_have_text("one.flac")
    expect(grow).to_contain_text("3 more wait.")
    grow.get_by_role("textbox", name="Name of another genre").fill("Wind")
    grow.get_by_role("button", name="Save").click()
    # The next one that is a song; the one between is told of in words.
    expect(grow.locator(".sg-name")).to_have_text("two.flac")
    expect(grow).to_contain_text("1 more waits.")
    grow.get_by_role("button", name="Skip this song").click()
    expect(grow.locator(".sg-name")).to_have_text("three.flac")
    grow.get_by_role("radio", name="Wind").check()
    grow.get_by_role("button", name="Save").click()
    expect(grow.get_by_role("listitem")).to_have_count(2)
    assert {song.title for song in own.songs()} == {"one", "three"}
    assert page.complaints == []
    page.context.close()


# --- Learning -----------------------------------------------------------------------------------


LEARN = """
from toy import Toy
from songnet_utils.widgets import GrowSongs, LiveSong
live = LiveSong(None, [Toy()])
grow = GrowSongs(live, songs={songs!r}, run={run!r}, corpus={corpus!r})
import ipywidgets
ipywidgets.VBox([live, grow])
"""


def test_there_is_nothing_to_learn_from_songs_of_other_genres(lab, own, trained, tones):
    song = own.add(whistle(1, 3.5), "Polka", title="Kettle")
    cell = LEARN.format(songs=str(own.folder), run=str(trained), corpus=str(tones))
    page = lab.open([cell], name="nothing.ipynb")
    grow = grow_of(page)
    learn = grow.get_by_role("button", name="Learn from my songs")
    expect(grow).to_contain_text("None of your songs is of a genre that it knows")
    expect(learn).to_be_disabled()
    select = grow.get_by_role("listitem").get_by_role("combobox", name=f"Genre of “{song.title}”")
    select.select_option(label="Low")
    expect(learn).to_be_enabled()
    expect(grow).not_to_contain_text("None of your songs")
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (1280, "dark"), (360, "dark")], ids=str
)
def test_it_learns_and_goes_back_and_fits_every_page(lab, own, trained, tones, width, theme):
    for number in range(8):
        name = f"A song with quite a long name, number {number}, which goes on and on"
        own.add(whistle(number, 3.5), "Low", title=name, artist=f"Artist {number}")
    cell = LEARN.format(songs=str(own.folder), run=str(trained), corpus=str(tones))
    page = lab.open(
        [cell],
        **{"name": f"learn-{width}-{theme}.ipynb", "width": width, "height": 1400, "theme": theme},
        reduced_motion="reduce" if width < 400 else "no-preference",
    )
    grow = grow_of(page)
    expect(grow.get_by_role("listitem")).to_have_count(8)
    # The network's own answer stands beside each song, in words.
    expect(grow.locator(".sg-said", has_text="SongNet: ")).to_have_count(8)
    upload(page, "another.flac", whistle(99))
    expect(grow).to_contain_text("The network above says ")
    grow.get_by_role("radio", name="Noise").check()
    screenshot(grow, f"grow-{width}-{theme}-before")

    learn = grow.get_by_role("button", name="Learn from my songs")
    learn.click()
    expect(learn).to_be_disabled()
    expect(grow).to_contain_text("of 10")
    screenshot(grow, f"grow-{width}-{theme}-learning")
    # The kernel is free meanwhile.
    answer = page.evaluate(
        """async () => {
          const {sessionContext} = window.jupyterapp.shell.currentWidget;
          const future = sessionContext.session.kernel.requestExecute({code: 'grow._learns'});
          let text = '';
          future.onIOPub = (message) => { text += message.content.data?.['text/plain'] ?? ''; };
          await future.done;
          return text;
        }"""
    )
    assert answer == "True"
    table = grow.get_by_role("table")
    expect(table).to_contain_text("Your songs, held out")
    record = read_record(trained.parent / f"grown-001-{trained.name}")
    held = record["grown"]["held_out"]
    row = table.get_by_role("row", name="Your songs, held out")
    expect(row.get_by_role("cell").first).to_have_text(str(held["clips"]))
    share = round(100 * held["right_after"] / held["clips"])
    expect(row).to_contain_text(f"{held['right_after']} ({share} %)")
    expect(grow.locator(".sg-said", has_text="SongNet: ")).to_have_count(8)

    grow.get_by_role("button", name="Use this network in the live song").click()
    choice = page.get_by_label("Network that answers")
    expect(choice.locator("option:checked")).to_have_text("SongNet + 6 own songs (001)")
    expect(page.locator(".sn-who")).to_contain_text("then 6 songs of one's own")
    screenshot(grow, f"grow-{width}-{theme}-after")
    inside = grow.evaluate(
        """root => {
          const box = root.getBoundingClientRect();
          return [...root.querySelectorAll('*')].filter((e) => {
            const own = e.getBoundingClientRect();
            return own.width && !e.closest('.sw-hidden') && !e.closest('option')
              && (own.left < box.left - 1 || own.right > box.right + 1);
          }).map((e) => e.className || e.tagName);
        }"""
    )
    assert inside == [], "sticks out of the widget"
    assert grow.evaluate("root => root.scrollWidth <= root.clientWidth")
    assert grow.evaluate(NAMELESS) == [], "controls without a name for screen readers"
    assert least_contrast(grow) >= 4.5

    grow.get_by_role("button", name=f"Undo: go back to {trained.name}").click()
    expect(grow).to_contain_text(f"Undone: the network is {trained.name} again.")
    expect(choice.locator("option")).to_have_count(1)
    expect(page.locator(".sn-who")).to_contain_text("Toy learnt")
    assert not (trained.parent / f"grown-001-{trained.name}").exists()

    if theme == "light":
        learn.click()
        expect(grow).to_contain_text("of 10")
        grow.get_by_role("button", name="Stop").click()
        expect(grow).to_contain_text("Stopped: nothing was kept")
        expect(learn).to_be_enabled()
    assert page.complaints == []
    page.context.close()


NAMELESS = """root => [...root.querySelectorAll('button, input, select, progress')]
  .filter((e) => e.checkVisibility() && e.getAttribute('aria-hidden') !== 'true')
  .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length || e.innerText?.trim()))
  .map((e) => e.outerHTML)"""


def least_contrast(grow: Locator) -> float:
    """Return the least contrast (WCAG 2) of text against the paper behind it."""
    return grow.evaluate(
        """root => {
          const rgb = (colour) => {
            const canvas = new OffscreenCanvas(1, 1).getContext('2d');
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
          };
          const light = ([r, g, b]) => {
            const linear = [r, g, b].map((c) => c / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
          };
          const behind = (e) => {
            for (; e; e = e.parentElement) {
              const colour = getComputedStyle(e).backgroundColor;
              if (colour !== 'rgba(0, 0, 0, 0)') return rgb(colour);
            }
          };
          let least = Infinity;
          for (const e of root.querySelectorAll('*')) {
            const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
            if (!own || !e.checkVisibility() || e.disabled || e.closest('option')) continue;
            const [one, two] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
            const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
            least = Math.min(least, ratio);
          }
          return least;
        }"""
    )
