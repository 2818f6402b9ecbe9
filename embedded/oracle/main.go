// Landfall's oracle: answers what real Helm would do, one JSON line for each line it is asked.
//
// Every question names what to do; the answer holds "output" (base64, since templates may give any bytes) or
// "error". It exists for tests: nothing here is shipped.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
)

type question struct {
	// Do names the answerer.
	Do string `json:"do"`
	// Text is a template, a YAML or JSON document, a constraint, a `--set` expression or a certificate.
	Text string `json:"text"`
	// More is what goes with it: a version, a kind of `--set`, the certificate of an authority.
	More string `json:"more"`
	// Values of a chart, or the tree to write.
	Values json.RawMessage `json:"values"`
	// Chart is a folder or a packed chart.
	Chart string `json:"chart"`
	// Files are values files.
	Files []string `json:"files"`
	// CRDs are printed with a chart's manifests.
	CRDs bool `json:"crds"`
}

type answer struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

var answerers = map[string]func(question) (string, error){
	"template":    template,
	"chart":       chart,
	"functions":   functions,
	"yaml.read":   yamlRead,
	"yaml.write":  yamlWrite,
	"semver":      semver,
	"version":     version,
	"strvals":     strvals,
	"certificate": certificate,
}

func ask(q question) (a answer) {
	defer func() {
		if failure := recover(); failure != nil {
			a = answer{Error: fmt.Sprint("panic: ", failure)}
		}
	}()
	answerer, ok := answerers[q.Do]
	if !ok {
		return answer{Error: fmt.Sprintf("the oracle does not know %q", q.Do)}
	}
	output, err := answerer(q)
	a.Output = base64.StdEncoding.EncodeToString([]byte(output))
	if err != nil {
		a.Error = err.Error()
		if a.Error == "" {
			a.Error = "an error without words"
		}
	}
	return a
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var q question
			if bad := json.Unmarshal(line, &q); bad != nil {
				fmt.Fprintln(os.Stderr, "the oracle was asked no JSON:", bad)
				os.Exit(2)
			}
			if encoder.Encode(ask(q)) != nil {
				os.Exit(1)
			}
			// Whoever waits for an answer before asking again gets it at once.
			if lines.Buffered() == 0 && out.Flush() != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			break
		}
	}
	if out.Flush() != nil {
		os.Exit(1)
	}
}
