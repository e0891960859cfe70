// Checks a disclosure bundle by docs/spec/bundle.md, and by nothing else of the product: standard library only.
//
//	svidok-verify [-trust FILE] BUNDLE     a folder
//	svidok-verify -batch                   lines of {"base", "trust", "set", "remove"}, a verdict for each
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// folder is a bundle on disk, with changes in memory over it.
type folder struct {
	root    string
	sizes   map[string]int64
	changed map[string][]byte
	gone    map[string]bool
}

func openFolder(root string) (*folder, error) {
	found := &folder{root: root, sizes: map[string]int64{}}
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not an ordinary file", path)
		}
		name, err := filepath.Rel(root, path)
		found.sizes[filepath.ToSlash(name)] = info.Size()
		return err
	})
	return found, err
}

func (f *folder) names() []string {
	var found []string
	for name := range f.sizes {
		if _, changed := f.changed[name]; !changed && !f.gone[name] {
			found = append(found, name)
		}
	}
	for name := range f.changed {
		if !f.gone[name] {
			found = append(found, name)
		}
	}
	return found
}

func (f *folder) size(name string) (int64, bool) {
	if f.gone[name] {
		return 0, false
	}
	if data, ok := f.changed[name]; ok {
		return int64(len(data)), true
	}
	size, ok := f.sizes[name]
	return size, ok
}

func (f *folder) open(name string) (io.ReadSeeker, func(), error) {
	if _, here := f.size(name); !here {
		return nil, nil, os.ErrNotExist
	}
	if data, ok := f.changed[name]; ok {
		return bytes.NewReader(data), func() {}, nil
	}
	file, err := os.Open(filepath.Join(f.root, filepath.FromSlash(name)))
	if err != nil {
		return nil, nil, err
	}
	return file, func() { file.Close() }, nil
}

func batch() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<30)
	bases := map[string]*folder{}
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked struct {
			Base   string
			Trust  *string
			Set    map[string]string
			Remove []string
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		if bases[asked.Base] == nil {
			found, err := openFolder(asked.Base)
			if err != nil {
				return err
			}
			bases[asked.Base] = found
		}
		bundle := &folder{root: asked.Base, sizes: bases[asked.Base].sizes, changed: map[string][]byte{}, gone: map[string]bool{}}
		for _, name := range asked.Remove {
			bundle.gone[name] = true
		}
		for name, data := range asked.Set {
			decoded, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				return err
			}
			bundle.changed[name] = decoded
			delete(bundle.gone, name)
		}
		var trust []byte
		if asked.Trust != nil {
			data, err := os.ReadFile(*asked.Trust)
			if err != nil {
				return err
			}
			trust = data
		}
		if err := out.Encode(verify(bundle, trust)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// plain writes out letters that would steer a terminal.
func plain(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

func main() {
	arguments := os.Args[1:]
	var trust []byte
	if len(arguments) == 1 && arguments[0] == "-batch" {
		if err := batch(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	if len(arguments) == 3 && arguments[0] == "-trust" {
		data, err := os.ReadFile(arguments[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		trust, arguments = data, arguments[2:]
	}
	if len(arguments) != 1 {
		fmt.Fprintln(os.Stderr, "svidok-verify [-trust FILE] BUNDLE")
		os.Exit(2)
	}
	bundle, err := openFolder(arguments[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	result := verify(bundle, trust)
	for _, item := range result.order {
		fmt.Printf("%-8s %s\n", result.Items[item], plain(item))
		for _, one := range result.Faults {
			if one.Item == item {
				fmt.Printf("         %s  %s\n", one.Code, plain(one.Where))
			}
		}
	}
	fmt.Println(result.Verdict)
	os.Exit(map[string]int{"valid": 0, "invalid": 1, "partial": 3}[result.Verdict])
}
