// SPDX-License-Identifier: Apache-2.0

// checklog DIR VKEY [OLD-CHECKPOINT] opens the log in DIR with the code of Go's checksum database, which
// knows nothing of airlock: the checkpoint's signature, the inclusion of every entry, and that the log
// only grew since an older checkpoint. Test-only; Debian's golang-golang-x-mod-dev.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// directory is a tlog.TileReader over files. x/mod calls a tile tile/8/<L>/..., the log tile/<L>/...;
// of a partial tile that is gone the full one has the beginning.
type directory struct {
	path string
	kept map[string][]byte
}

func (d *directory) Height() int { return height }

func (d *directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d *directory) read(name string) ([]byte, error) {
	if data, ok := d.kept[name]; ok {
		return data, nil
	}
	data, err := os.ReadFile(filepath.Join(d.path, name))
	if err == nil {
		d.kept[name] = data
	}
	return data, err
}

func (d *directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		name := "tile" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d", height))
		data, err := d.read(name)
		if errors.Is(err, fs.ErrNotExist) && t.W < width {
			full, _, _ := strings.Cut(name, ".p/")
			data, err = d.read(full)
			if err == nil && len(data) == width*tlog.HashSize {
				data = data[:t.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", name, len(data))
		}
		out = append(out, data)
	}
	return out, nil
}

// entries gives the n entries of one bundle.
func (d *directory) entries(bundle int64, n int) ([][]byte, error) {
	name := strings.Replace(tlog.Tile{H: height, L: 0, N: bundle, W: n}.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := d.read(name)
	if errors.Is(err, fs.ErrNotExist) && n < width {
		full, _, _ := strings.Cut(name, ".p/")
		data, err = d.read(full)
	}
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for i := 0; i < n; i++ {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends in entry %d", name, i)
		}
		size := int(binary.BigEndian.Uint16(data))
		out = append(out, data[2:2+size])
		data = data[2+size:]
	}
	return out, nil
}

// open reads a checkpoint that the key signed.
func open(path string, key note.Verifier) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open(data, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	line := strings.Split(n.Text, "\n")
	if len(line) != 4 || line[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of %s", path, key.Name())
	}
	size, err := strconv.ParseInt(line[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(line[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: no root", path)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// checkEntries proves each entry from tiles, and checks that proof.
func checkEntries(d *directory, tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, d)
	for at := int64(0); at < tree.N; at += width {
		n := width
		if tree.N-at < width {
			n = int(tree.N - at)
		}
		entries, err := d.entries(at/width, n)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			index := at + int64(i)
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	return nil
}

func checkGrowth(d *directory, old, tree tlog.Tree) error {
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, d))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func check(args []string) (string, error) {
	if len(args) != 2 && len(args) != 3 {
		return "", errors.New("usage: checklog DIR VKEY [OLD-CHECKPOINT]")
	}
	d := &directory{path: args[0], kept: map[string][]byte{}}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	key, err := note.NewVerifier(string(bytes.TrimSpace(text)))
	if err != nil {
		return "", err
	}
	tree, err := open(filepath.Join(d.path, "checkpoint"), key)
	if err != nil {
		return "", err
	}
	if err := checkEntries(d, tree); err != nil {
		return "", err
	}
	said := fmt.Sprintf("%d entries", tree.N)
	if len(args) == 3 {
		old, err := open(args[2], key)
		if err != nil {
			return "", err
		}
		if err := checkGrowth(d, old, tree); err != nil {
			return "", fmt.Errorf("from %d to %d: %w", old.N, tree.N, err)
		}
		said += fmt.Sprintf(", grown from %d", old.N)
	}
	return said, nil
}

func main() {
	said, err := check(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "checklog:", err)
		os.Exit(1)
	}
	fmt.Println("ok:", said)
}
