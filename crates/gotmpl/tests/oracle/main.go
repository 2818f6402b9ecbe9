// The oracle: answers, line by line, what Go's own text/template makes of a template.
//
// In:  {"template": "...", "name": "...", "data": ..., "missing": "zero", "left": "<<", "right": ">>"}
// Out: {"output": "<base64>", "error": "..."}
//
// Data are JSON, where an object with one key that begins with "$" stands for a Go type that JSON lacks.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"text/template"
	"text/template/parse"
)

type request struct {
	Name     string `json:"name"`
	Template string `json:"template"`
	Data     any    `json:"data"`
	Missing  string `json:"missing"`
	Left     string `json:"left"`
	Right    string `json:"right"`
	// Parse asks for the parse trees instead of the output; functions are then not looked up.
	Parse bool `json:"parse"`
}

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

// version stands for an object with fields and methods.
type version struct {
	Major int64
	Label string
}

func (v *version) Has(name string) bool               { return strings.Contains(v.Label, name) }
func (v *version) Join(parts ...string) string        { return strings.Join(parts, v.Label) }
func (v *version) Plus(a int, b int) int              { return a + b }
func (v *version) Fails() (string, error)             { return "", errors.New("it fails") }
func (v *version) Self() *version                     { return v }
func (v *version) Table() map[string]interface{}      { return map[string]interface{}{"a": "b"} }
func (v *version) Takes(m map[string]interface{}) int { return len(m) }

func revive(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = revive(value[i])
		}
		return value
	case map[string]any:
		if len(value) == 1 {
			for key, inner := range value {
				if strings.HasPrefix(key, "$") {
					return typed(key, inner)
				}
			}
		}
		for key := range value {
			value[key] = revive(value[key])
		}
		return value
	}
	return value
}

func typed(kind string, inner any) any {
	switch kind {
	case "$int":
		return int(inner.(float64))
	case "$int64":
		return int64(inner.(float64))
	case "$uint8":
		return uint8(inner.(float64))
	case "$uint64":
		return uint64(inner.(float64))
	case "$bytes":
		return []byte(inner.(string))
	case "$raw":
		bytes, _ := base64.StdEncoding.DecodeString(inner.(string))
		return string(bytes)
	case "$strings":
		list := []string{}
		for _, item := range inner.([]any) {
			list = append(list, item.(string))
		}
		return list
	case "$ints":
		list := []int{}
		for _, item := range inner.([]any) {
			list = append(list, int(item.(float64)))
		}
		return list
	case "$stringmap":
		table := map[string]string{}
		for key, item := range inner.(map[string]any) {
			table[key] = item.(string)
		}
		return table
	case "$nilmap":
		return map[string]interface{}(nil)
	case "$nillist":
		return []interface{}(nil)
	case "$version":
		return &version{Major: 4, Label: inner.(string)}
	}
	panic("unknown type " + kind)
}

func functions(set *template.Template) template.FuncMap {
	return template.FuncMap{
		"upper":  strings.ToUpper,
		"list":   func(items ...interface{}) []interface{} { return items },
		"typeOf": func(value interface{}) string { return fmt.Sprintf("%T", value) },
		"dict": func(pairs ...interface{}) map[string]interface{} {
			table := map[string]interface{}{}
			for i := 0; i+1 < len(pairs); i += 2 {
				table[fmt.Sprint(pairs[i])] = pairs[i+1]
			}
			return table
		},
		"set": func(table map[string]interface{}, key string, value interface{}) map[string]interface{} {
			table[key] = value
			return table
		},
		"until": func(count int) []int {
			list := []int{}
			for i := 0; i < count; i++ {
				list = append(list, i)
			}
			return list
		},
		"add":      func(a, b int) int { return a + b },
		"wide":     func(a int64) int64 { return a },
		"unsigned": func(a uint64) uint64 { return a },
		"float":    func(a float64) float64 { return a },
		"flag":     func(a bool) bool { return a },
		"words":    func(a []string) int { return len(a) },
		"items":    func(a []interface{}) int { return len(a) },
		"table":    func(a map[string]interface{}) bool { return a == nil },
		"nothing":  func() interface{} { return nil },
		"fail":     func(message string) (string, error) { return "", errors.New(message) },
		"include": func(name string, data interface{}) (string, error) {
			var out strings.Builder
			err := set.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
	}
}

func run(request request) (answer answer) {
	defer func() {
		if failure := recover(); failure != nil {
			answer.Error = fmt.Sprint("panic: ", failure)
		}
	}()
	if request.Parse {
		return parseOnly(request)
	}
	set := template.New("set")
	set.Funcs(functions(set)).Delims(request.Left, request.Right)
	if request.Missing != "" {
		set.Option("missingkey=" + request.Missing)
	}
	if request.Name == "" {
		request.Name = "t"
	}
	parsed, err := set.New(request.Name).Parse(request.Template)
	var out strings.Builder
	if err == nil {
		err = parsed.Execute(&out, revive(request.Data))
	}
	answer.Output = base64.StdEncoding.EncodeToString([]byte(out.String()))
	if err != nil {
		answer.Error = err.Error()
	}
	return answer
}

func parseOnly(request request) (answer answer) {
	trees := map[string]*parse.Tree{}
	tree := parse.New("t")
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(request.Template, request.Left, request.Right, trees)
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	var names []string
	for name := range trees {
		names = append(names, name)
	}
	sort.Strings(names)
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, "{{define %q}}%s{{end}}\n", name, trees[name].Root)
	}
	answer.Output = base64.StdEncoding.EncodeToString([]byte(out.String()))
	return answer
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var request request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := encoder.Encode(run(request)); err != nil {
			os.Exit(1)
		}
	}
}
