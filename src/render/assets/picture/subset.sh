#!/usr/bin/env bash
# Makes sans.ttf and sans-bold.ttf from DejaVu Sans 2.37 (Debian's fonts-dejavu-core), byte for byte as they are beside this file: Latin with
# its extensions, Greek, Cyrillic, punctuation and the mathematical signs that charts have, without hints.
#
#     python3 -m venv venv && venv/bin/pip install fonttools==4.60.1
#     ./subset.sh venv/bin/pyftsubset /usr/share/fonts/truetype/dejavu
set -euo pipefail
letters="U+0020-007E,U+00A0-024F,U+0259,U+02BB-02BD,U+02C6,U+02C7,U+02D8-02DD,U+0300-0304,U+0306-0308,U+030A-030C,U+0326-0328"
letters+=",U+0370-03FF,U+0400-045F,U+0490-0493,U+049A-049B,U+04A2-04A3,U+04AE-04B1,U+04BA-04BB,U+04D8-04D9,U+04E8-04E9,U+1E00-1EFF"
signs="U+2009,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+202F,U+2030,U+2032-2033,U+2039-203A,U+2044,U+2070-208E,U+20AC,U+20BD"
signs+=",U+2116,U+2122,U+2190-2193,U+2202,U+2206,U+220F,U+2211,U+2212,U+221A,U+221E,U+222B,U+2248,U+2260,U+2264,U+2265,U+25CF,U+FFFD"
subset() {
    "$1" "$2" --unicodes="$letters,$signs" --layout-features=kern,liga,mark,mkmk,ccmp,locl --no-hinting --drop-tables+=FFTM \
        --desubroutinize --name-IDs='*' --no-glyph-names --notdef-outline --output-file="$3"
}
cd "$(dirname "$0")"
subset "$1" "$2/DejaVuSans.ttf" sans.ttf
subset "$1" "$2/DejaVuSans-Bold.ttf" sans-bold.ttf
sha256sum sans.ttf sans-bold.ttf
