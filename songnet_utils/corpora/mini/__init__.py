"""Mini: a corpus of music composed by rules and played on sampled instruments, without a download.

It has the eight genres of fma_small, each with a grammar of its own (`genres`), played by invented
artists with a sound of their own (`artists`). It is a teaching corpus: accuracies on it say what a
method can do on music of this kind, and nothing about real songs.

Each module has one job: `dice` makes choices that are the same on every machine, `theory` defines
scales, chords and metres, `figures` defines the shorthand in which the grammars of `genres` are
written, `artists` and `names` invent the artists, `plan` lays out a piece, `players` and
`experimental` play it, `compose` puts a clip together, `render` turns notes into sound, and
`catalogue` makes the table of clips.

Every artist, album, title and date is invented, and so are the artists' homes and the numbers of
listens and favourites. These numbers are drawn to look like FMA's: a few are very large, and they
differ from artist to artist and a little from genre to genre. The labels are right by construction:
a clip has the genre whose grammar made it.

The generator was written and frozen before any network was trained on its music (`VERSION` 2; a
test checks that the notes of one clip per genre have not changed). Before that, only levels, onsets
per second, tempo by autocorrelation and spectrograms were examined, and a support vector machine on
the 140 MFCC statistics ran twice in five folds, as a smoke test. Before the last change, which made
the instruments less typical of a genre and balanced the parts, its accuracy was .72 in random folds
and .61 in artist-filtered folds; after the change, it was .67 and .54 (seed 0; chance is .125).

The music is the project's own, under CC BY 4.0. The instruments come from the soundfont TimGM6mb
(Tim Brechbill 2004, David Bolton 2010), which comes with `pretty_midi` under version 2 of the GPL;
no part of it is in this repository.
"""

from __future__ import annotations

from pathlib import Path

#: The table of the clips of seed 0, including their bit rates.
TABLE = Path(__file__).with_name("clips.csv")
DESCRIPTION = "music composed by rules; a clip is rendered when you first open it"
LICENCE = "CC BY 4.0"
CITATION = "mini, the teaching corpus of the SongNet course: composed by rules, CC BY 4.0."
