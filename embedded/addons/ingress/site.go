// Package ingress serves Kubernetes Ingress objects through nginx.
//
// Objects come in by watches (controller.go), become a Site by a pure function
// (build.go), and a Site becomes one nginx.conf (render.go), which a child process
// serves (nginx.go). The proxying itself is nginx's.
package ingress

// Site is all that nginx is asked to serve, in an order that depends on nothing but
// its content.
type Site struct {
	Default   Server
	Servers   []Server
	Upstreams []Upstream
}

// Server is one host.
type Server struct {
	// Name is what nginx's server_name takes: a host, a regular expression for a
	// wildcard, or "_" for the default.
	Name string
	// Certificate is the one file that holds chain and key; empty where the host has
	// none of its own and shows the default one.
	Certificate string
	Locations   []Location
}

// Location is one path of a host.
type Location struct {
	// Match is the location's argument: `= "/x"` for the path alone, `"/x/"` for what
	// is below it.
	Match string
	// Owner is the Ingress that it comes from, as namespace/name.
	Owner string
	// Upstream is empty where no endpoint is ready: such a path answers 503.
	Upstream string
	// RedirectToHTTPS sends plain requests to the same address by HTTPS.
	RedirectToHTTPS bool
	Options         Options
}

// Options are what annotations of an Ingress set. A zero value leaves the default.
type Options struct {
	Scheme           string
	BodySize         string
	ConnectTimeout   string
	ReadTimeout      string
	SendTimeout      string
	RequestBuffering string
	Buffering        string
}

// Upstream is the ready endpoints of one port of a Service.
type Upstream struct {
	Name      string
	Addresses []string
}

// Problem is why a part of an Ingress is not served as it is written.
type Problem struct {
	// Owner is the Ingress, as namespace/name.
	Owner string
	// Reason is one word, as of an Event.
	Reason  string
	Message string
}
