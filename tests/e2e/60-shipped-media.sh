#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profiles pandoc, ffmpeg and imagemagick, with the real programs on input that they made themselves.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need pandoc ffmpeg ffprobe /usr/bin/convert identify mogrify unzip file
make_canary
start_server

# ---- pandoc --------------------------------------------------------------------------------------
cat >"$WS/paper.md" <<'MD'
---
title: A paper
---

# Heading

Some *text* with a [link](https://example.com/) and a formula $x^2$.

| a | b |
|---|---|
| 1 | 2 |
MD
own "$WS"
expect_run "pandoc: to standard output" 0 -p pandoc -- pandoc -t html paper.md
expect_match "pandoc: the heading" '<h1 id="heading">Heading</h1>' "$OUT"
expect_run "pandoc: a page of its own" 0 -p pandoc -- pandoc -s -o paper.html paper.md
expect_eq "pandoc: committed" "ok committed 1 0 0 0" "$(settled)"
expect_match "pandoc: its title" "<title>A paper</title>" "$WS/paper.html"
expect_run "pandoc: docx" 0 -p pandoc -- pandoc -o paper.docx paper.md
check "pandoc: docx: whole" unzip -tq "$WS/paper.docx"
expect_run "pandoc: and back" 0 -p pandoc -- pandoc -t plain paper.docx
expect_match "pandoc: and back: the text" "Some text with a link and a formula" "$OUT"
expect_run "pandoc: no such format" 22 -p pandoc -- pandoc -t nosuchformat paper.md
printf -- '-- a filter\nfunction Str(el)\n  local f = io.open("%s")\n  return pandoc.Str(f and f:read("a") or "nothing")\nend\n' "$CANARY" >"$WS/steal.lua"
own "$WS"
expect_only pandoc sh -c 'pandoc paper.md'
expect_denied pandoc "a file in HOME" 1 "$CANARY: openBinaryFile: does not exist" pandoc -t plain "$CANARY"
expect_denied pandoc "a file in HOME, by a filter" 0 "nothing" pandoc -t plain --wrap=none -L steal.lua paper.md
expect_denied pandoc "the network" 61 "Could not fetch http://127.0.0.1:$PORT/" pandoc -f markdown -t plain "http://127.0.0.1:$PORT/"

# ---- ffmpeg --------------------------------------------------------------------------------------
new_ws media
expect_run "ffmpeg: make a clip" 0 -p ffmpeg -n -- ffmpeg -v error -f lavfi -i testsrc=duration=2:size=160x120:rate=10 \
	-f lavfi -i sine=frequency=440:duration=2 -c:v libx264 -preset ultrafast -c:a aac clip.mp4
expect_eq "ffmpeg: committed" "ok committed 1 0 0 0" "$(settled)"
expect_run "ffmpeg: transcode, with text" 0 -p ffmpeg -n -- ffmpeg -v error -i clip.mp4 -vf scale=80:60,drawtext=text=hi \
	-c:v libvpx -c:a libopus clip.webm
expect_run "ffmpeg: ffprobe" 0 -p ffmpeg -- ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 clip.webm
expect_eq "ffmpeg: what ffprobe says" "vp8,80,60 opus" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_run "ffmpeg: one picture" 0 -p ffmpeg -n -- ffmpeg -v error -ss 1 -i clip.mp4 -frames:v 1 frame.png
expect_eq "ffmpeg: the picture" "PNG image data, 160 x 120, 8-bit/color RGB, non-interlaced" "$(file -b "$WS/frame.png")"
expect_run "ffmpeg: through pipes" 0 -p ffmpeg -- ffmpeg -v error -i pipe:0 -f wav pipe:1 <"$WS/clip.webm"
expect_eq "ffmpeg: a wave file comes out" "RIFF" "$(head -c 4 "$OUT")"
printf 'no film\n' >"$WS/broken.mp4"
own "$WS"
run_airlock -p ffmpeg -n -- ffmpeg -v error -i broken.mp4 out.mkv
check "ffmpeg: what is no film" test "$RC" != 0
expect_eq "ffmpeg: is an error, and nothing is kept" "failed no" "$(record .outcome.verdict) $([ -e "$WS/out.mkv" ] && echo yes || echo no)"
# a list that names a file elsewhere, copied as it is
printf "file '%s'\n" "$CANARY" >"$WS/list.txt"
own "$WS"
expect_only ffmpeg sh -c 'ffmpeg -version'
expect_denied ffmpeg "a file in HOME" 1 "$CANARY: No such file or directory" ffmpeg -v error -f data -i "$CANARY" -map 0 -c copy -f data pipe:1
run_airlock -p ffmpeg -n -- ffmpeg -v error -f concat -safe 0 -i list.txt out.mkv
expect_match "ffmpeg: a list's file in HOME" "Impossible to open '$CANARY'" "$ERR"
expect_denied ffmpeg "the network" 1 "http://127.0.0.1:$PORT/x: " ffmpeg -v error -f data -i "http://127.0.0.1:$PORT/x" -map 0 -c copy -f data pipe:1

# ---- imagemagick ---------------------------------------------------------------------------------
new_ws pictures
expect_run "imagemagick: make a picture, with text" 0 -p imagemagick -- convert -size 120x80 gradient:red-blue -font DejaVu-Sans -pointsize 20 -draw 'text 10,40 "hi"' a.png
expect_eq "imagemagick: committed" "ok committed 1 0 0 0" "$(settled)"
expect_run "imagemagick: convert and resize" 0 -p imagemagick -- convert a.png -resize 60x40 -quality 80 b.jpg
expect_match "imagemagick: the picture" "JPEG image data" <(file -b "$WS/b.jpg")
expect_run "imagemagick: identify" 0 -p imagemagick -- identify -format '%m %wx%h' b.jpg
expect_eq "imagemagick: what identify says" "JPEG 60x40" "$(cat "$OUT")"
expect_run "imagemagick: mogrify writes over its input" 0 -p imagemagick -- mogrify -resize 30x20 b.jpg
expect_eq "imagemagick: one file is modified" "ok committed 0 1 0 0" "$(settled)"
expect_eq "imagemagick: it is small" "30x20" "$(outside identify -format '%wx%h' b.jpg)"
as_id "$A" cat @last in:b.jpg >"$T/before.jpg"
expect_eq "imagemagick: the record has what was there" "60x40" "$(identify -format '%wx%h' "$T/before.jpg")"
expect_run "imagemagick: compare" 0 -p imagemagick -- compare -metric AE a.png a.png null:
expect_run "imagemagick: what is no picture" 1 -p imagemagick -- identify /etc/passwd
expect_run "imagemagick: policy.xml counts inside" 1 -p imagemagick -- convert a.png a.pdf
expect_match "imagemagick: and says so" "attempt to perform an operation not allowed by the security policy \`PDF'" "$ERR"
expect_only imagemagick sh -c 'convert a.png c.png'
cp "$WS/a.png" "$CANARY"
expect_eq "imagemagick: a file in HOME: works outside" "PNG" "$(outside identify -format '%m' "png:$CANARY")"
expect_run "imagemagick: a file in HOME" 1 -p imagemagick -- identify "png:$CANARY"
expect_match "imagemagick: says why" "unable to open image \`$CANARY': No such file or directory" "$ERR"
printf '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image xlink:href="%s" width="9" height="9"/></svg>\n' "$CANARY" >"$WS/x.svg"
own "$WS"
run_airlock -p imagemagick -- convert x.svg -format '%[pixel:p{4,4}]' info:
expect_eq "imagemagick: a picture that names it shows nothing of it" "" "$(grep -E 'srgb\([1-9]' "$OUT")"
