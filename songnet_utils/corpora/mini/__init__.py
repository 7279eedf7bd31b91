"""Mini: a corpus of music composed by rules and played on sampled instruments, without a download.

It has the eight genres of fma_small, each with a grammar of its own (`genres`), played by invented
artists with a sound of their own (`artists`). It is a teaching corpus: accuracies on it say what a
method can do on music of this kind, and nothing about real songs.

One idea a module: `dice` makes choices that are the same everywhere, `theory` knows scales, chords
and metres, `figures` the shorthand and `genres` the grammars written in it, `artists` and `names`
who plays, `plan` lays out a piece, `players` and `experimental` play it, `compose` puts a clip
together, `render` turns notes into sound, `catalogue` writes what a collection knows about its
clips.

What is real and what is not. Every artist, album, title, date and place is invented, and so are
the numbers of listens and favourites, which are drawn to look like FMA's (a long tail, fatter for
some artists than for others, and a little different from genre to genre). The labels are right by
construction: a clip has the genre whose grammar made it.

Frozen. The generator was written and frozen before any network was trained on it (`VERSION` 2; a
test holds the notes of a clip of every genre to what they were). What was looked at before: levels,
onsets a second, tempo by autocorrelation, spectrograms, and twice, as a smoke test, a support
vector machine on the 140 MFCC statistics in five folds. Before the last change, which made
instruments less of a sign of genre and balanced the parts, it had .72 of random and .61 of
artist-filtered folds right; after it, .67 and .54 (seed 0; chance is .125).

Licence. The music is the project's own, CC BY 4.0. The instruments are TimGM6mb's (Tim Brechbill
2004, David Bolton 2010), which comes with `pretty_midi` under the GPL, version 2; nothing of it is
in this repository.
"""

from __future__ import annotations

from pathlib import Path

#: The table of the clips of seed 0, their bit rates included.
TABLE = Path(__file__).with_name("clips.csv")
DESCRIPTION = "music composed by rules; a clip is rendered when you first open it"
LICENCE = "CC BY 4.0"
CITATION = "mini, the teaching corpus of the SongNet course: composed by rules, CC BY 4.0."
