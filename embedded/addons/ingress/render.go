package ingress

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"text/template"
)

// Frame is what surrounds a Site in nginx.conf and stays as it is while nginx runs.
type Frame struct {
	// Dir is the folder for the configuration, certificates and temporary files.
	Dir string
	// User is whom nginx's workers run as; empty where nginx is not started by root.
	User    string
	Workers int
	// OpenFiles is how many files a worker may open: no more than the limit allows.
	OpenFiles int
	// Address is what is listened on; empty for all addresses of the machine.
	Address             string
	HTTPPort, HTTPSPort int
	// IPv6 tells whether the machine has it.
	IPv6      bool
	AccessLog bool
	// ReadTimeout is how long a backend may stay silent, in nginx's words.
	ReadTimeout string
	// DefaultCertificate is the file shown for a host that has none of its own.
	DefaultCertificate string
}

// Configuration is one nginx.conf. The generation names its content, and nginx
// answers with it once it serves it.
type Configuration struct {
	Generation string
	Text       []byte
}

//go:embed nginx.conf.tmpl
var configurationText string

var configurationTemplate = template.Must(
	template.New("nginx.conf").Funcs(template.FuncMap{"server": newServerView}).Parse(configurationText))

type view struct {
	Frame
	Site       Site
	Generation string
}

type serverView struct {
	Server    Server
	Listens   []string
	HTTPSPort string
	HasRoot   bool
}

func newServerView(view view, server Server, isDefault bool) serverView {
	port := ""
	if view.HTTPSPort != 443 {
		port = fmt.Sprintf(":%d", view.HTTPSPort)
	}
	return serverView{
		Server:    server,
		Listens:   view.listens(isDefault),
		HTTPSPort: port,
		HasRoot:   slices.ContainsFunc(server.Locations, func(l Location) bool { return l.Match == rootMatch }),
	}
}

// Connections is a worker's share of open files: a request has two, of its client and
// of its backend.
func (f Frame) Connections() int { return f.OpenFiles / 2 }

func (f Frame) listens(isDefault bool) []string {
	suffix := ""
	if isDefault {
		suffix = " default_server"
	}
	hosts := []string{f.Address}
	if f.Address == "" {
		hosts = []string{"0.0.0.0"}
		if f.IPv6 {
			hosts = append(hosts, "[::]")
		}
	}
	var listens []string
	for _, host := range hosts {
		listens = append(listens,
			fmt.Sprintf("%s:%d%s", host, f.HTTPPort, suffix),
			fmt.Sprintf("%s:%d ssl%s", host, f.HTTPSPort, suffix))
	}
	return listens
}

// Render writes the configuration. The same input gives the same bytes.
func Render(frame Frame, site Site) (Configuration, error) {
	execute := func(generation string) ([]byte, error) {
		var text bytes.Buffer
		err := configurationTemplate.Execute(&text, view{frame, site, generation})
		return text.Bytes(), err
	}
	// The generation stands in the text that it is computed from: first without it.
	bare, err := execute("")
	if err != nil {
		return Configuration{}, err
	}
	sum := sha256.Sum256(bare)
	generation := hex.EncodeToString(sum[:8])
	text, err := execute(generation)
	return Configuration{generation, text}, err
}
