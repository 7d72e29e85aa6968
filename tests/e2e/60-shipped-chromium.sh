#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profile headless-chromium, with the real program: a page of the workspace becomes a picture, a PDF and text,
# and a page that means harm gets nothing.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need chromium /usr/bin/convert file
make_canary
start_server
browse=(chromium --headless --no-sandbox "--window-size=400,300")

cat >"$WS/page.html" <<'HTML'
<!DOCTYPE html><html><head><link rel="stylesheet" href="style.css"></head>
<body><h1>A page</h1><p id="p">static</p><script src="page.js"></script></body></html>
HTML
printf 'body { background: rgb(0, 160, 0); margin: 20px } h1 { color: white }\n' >"$WS/style.css"
printf 'document.getElementById("p").textContent = "made by script: " + 6 * 7;\n' >"$WS/page.js"
own "$WS"
expect_run "a screenshot" 0 -p headless-chromium -n -- "${browse[@]}" --screenshot=page.png "file://$WS/page.html"
expect_eq "is a picture" "PNG image data, 400 x 300, 8-bit/color RGB, non-interlaced" "$(file -b "$WS/page.png")"
expect_eq "in the page's colour" "srgb(0,160,0)" "$(/usr/bin/convert "$WS/page.png" -format '%[pixel:p{1,1}]' info:)"
expect_eq "and all that is committed" "ok committed 1 0 0 0" "$(settled)"
expect_run "its DOM" 0 -p headless-chromium -n -- "${browse[@]}" --dump-dom "file://$WS/page.html"
expect_match "after its script ran" '<p id="p">made by script: 42</p>' "$OUT"
expect_run "a PDF" 0 -p headless-chromium -n -- "${browse[@]}" --print-to-pdf=page.pdf "file://$WS/page.html"
expect_match "is one" "PDF document" <(file -b "$WS/page.pdf")

# ---- hostile ---------------------------------------------------------------------------------------
expect_only headless-chromium sh -c 'chromium --version'
run_airlock -p headless-chromium -n -- chromium --headless --dump-dom "file://$WS/page.html"
expect_match "with its own sandbox it does not start, and says why" "No usable sandbox!" "$ERR"
# a page of file:// may show other files in a frame; --dump-dom of the file itself is the plainest way
mv "$CANARY" "$CANARY.txt"
CANARY=$CANARY.txt
expect_denied headless-chromium "a file in HOME" 0 "ERR_FILE_NOT_FOUND" "${browse[@]}" --dump-dom "file://$CANARY"
expect_denied headless-chromium "the network" 0 "" "${browse[@]}" --dump-dom "http://127.0.0.1:$PORT/"
printf '<body><script>fetch("http://127.0.0.1:%s/").then(() => "reached", (e) => "" + e).then((t) => document.body.textContent = t)</script></body>\n' "$PORT" >"$WS/evil.html"
own "$WS"
expect_run "a page's own request" 0 -p headless-chromium -n -- "${browse[@]}" --virtual-time-budget=5000 --dump-dom "file://$WS/evil.html"
expect_match "fails" "TypeError: Failed to fetch" "$OUT"
