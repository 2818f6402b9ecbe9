package ingress

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
)

const (
	defaultName = "_"
	rootMatch   = `"/"`
)

var (
	hostPattern = regexp.MustCompile(`^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	// pathPattern leaves out what could end a quoted word of nginx's configuration.
	pathPattern = regexp.MustCompile(`^/[A-Za-z0-9._~!&'()*+,=:@/-]*$`)
)

// Build says what nginx shall serve for the Ingress objects of a controller, and what
// of them it cannot. Where two of them claim the same path, the older one has it.
func Build(objects *Objects, controller string) (Site, []Problem) {
	builder := builder{
		objects:   objects,
		hosts:     map[string]*host{defaultName: newHost()},
		upstreams: map[string]Upstream{},
	}
	served := slices.Clone(objects.served(controller))
	slices.SortFunc(served, older)
	for _, ingress := range served {
		builder.rules(ingress)
	}
	// Only when every path is known does a default backend take what is left.
	for _, ingress := range served {
		builder.defaultBackend(ingress)
	}
	for _, ingress := range served {
		builder.tls(ingress)
	}
	return builder.site(), builder.problems
}

func older(a, b *networkingv1.Ingress) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(owner(a), owner(b)),
	)
}

type host struct {
	certificate string
	locations   map[string]Location
}

func newHost() *host { return &host{locations: map[string]Location{}} }

type builder struct {
	objects   *Objects
	hosts     map[string]*host
	upstreams map[string]Upstream
	problems  []Problem
}

func (b *builder) problem(ingress *networkingv1.Ingress, reason, format string, args ...any) {
	b.problems = append(b.problems, Problem{owner(ingress), reason, fmt.Sprintf(format, args...)})
}

func (b *builder) host(ingress *networkingv1.Ingress, name string) *host {
	if name == "" {
		name = defaultName
	} else if !hostPattern.MatchString(name) {
		b.problem(ingress, "InvalidHost", "host %q is not served: it is no DNS name", name)
		return nil
	}
	if b.hosts[name] == nil {
		b.hosts[name] = newHost()
	}
	return b.hosts[name]
}

func (b *builder) rules(ingress *networkingv1.Ingress) {
	settings, problems := options(ingress)
	b.problems = append(b.problems, problems...)
	for _, rule := range ingress.Spec.Rules {
		host := b.host(ingress, rule.Host)
		if host == nil || rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if path.Path != "" && !pathPattern.MatchString(path.Path) {
				b.problem(ingress, "InvalidPath", "path %q is not served: only letters, digits and ._~!&'()*+,=:@/- may stand in it", path.Path)
				continue
			}
			upstream := b.upstream(ingress, &path.Backend)
			for _, match := range matches(path) {
				host.add(match, Location{Owner: owner(ingress), Upstream: upstream, Options: settings})
			}
		}
	}
}

// add leaves a path to whoever had it first.
func (h *host) add(match string, location Location) {
	if _, taken := h.locations[match]; !taken {
		location.Match = match
		h.locations[match] = location
	}
}

// matches turns a path into nginx's words. A prefix counts by whole elements: /a has
// /a/b below it, not /ab. A path that is up to the controller is a prefix.
func matches(path networkingv1.HTTPIngressPath) []string {
	if path.PathType != nil && *path.PathType == networkingv1.PathTypeExact {
		return []string{`= "` + path.Path + `"`}
	}
	prefix := strings.TrimRight(path.Path, "/")
	if prefix == "" {
		return []string{rootMatch}
	}
	return []string{`= "` + prefix + `"`, `"` + prefix + `/"`}
}

func (b *builder) upstream(ingress *networkingv1.Ingress, backend *networkingv1.IngressBackend) string {
	if backend.Service == nil {
		b.problem(ingress, "InvalidBackend", "only Services can be backends")
		return ""
	}
	upstream, err := b.objects.upstream(ingress.Namespace, backend.Service)
	if err != nil {
		b.problem(ingress, "InvalidBackend", "%s; its paths answer 503", err)
		return ""
	}
	if len(upstream.Addresses) == 0 {
		return ""
	}
	b.upstreams[upstream.Name] = upstream
	return upstream.Name
}

// defaultBackend takes what no rule does: of the hosts that the Ingress names and,
// where it names none, of every host that nobody names.
func (b *builder) defaultBackend(ingress *networkingv1.Ingress) {
	backend := ingress.Spec.DefaultBackend
	if backend == nil {
		return
	}
	settings, _ := options(ingress)
	location := Location{Owner: owner(ingress), Upstream: b.upstream(ingress, backend), Options: settings}
	b.hosts[defaultName].add(rootMatch, location)
	for _, rule := range ingress.Spec.Rules {
		if host := b.hosts[rule.Host]; host != nil {
			host.add(rootMatch, location)
		}
	}
}

// tls gives hosts their certificates, and sends plain requests there.
func (b *builder) tls(ingress *networkingv1.Ingress) {
	for _, entry := range ingress.Spec.TLS {
		if entry.SecretName == "" {
			continue
		}
		secret := ingress.Namespace + "/" + entry.SecretName
		certificate, found := b.objects.Certificates[secret]
		if !found {
			b.problem(ingress, "CertificateMissing", "Secret %s of type kubernetes.io/tls with a certificate and its key is missing; the default certificate is shown", secret)
			continue
		}
		for _, name := range tlsHosts(ingress, entry) {
			host := b.hosts[name]
			if host == nil {
				continue // named for TLS, but by no rule
			}
			if host.certificate == "" {
				host.certificate = certificate
			}
			for match, location := range host.locations {
				if location.Owner == owner(ingress) && redirects(ingress) {
					location.RedirectToHTTPS = true
					host.locations[match] = location
				}
			}
		}
	}
}

// tlsHosts are those of an entry and, where it names none, all of its Ingress.
func tlsHosts(ingress *networkingv1.Ingress, entry networkingv1.IngressTLS) []string {
	if len(entry.Hosts) > 0 {
		return entry.Hosts
	}
	var hosts []string
	for _, rule := range ingress.Spec.Rules {
		hosts = append(hosts, cmp.Or(rule.Host, defaultName))
	}
	return hosts
}

func (b *builder) site() Site {
	var site Site
	for _, name := range slices.Sorted(maps.Keys(b.hosts)) {
		host := b.hosts[name]
		server := Server{Name: serverName(name), Certificate: host.certificate}
		for _, match := range slices.Sorted(maps.Keys(host.locations)) {
			server.Locations = append(server.Locations, host.locations[match])
		}
		if name == defaultName {
			site.Default = server
		} else {
			site.Servers = append(site.Servers, server)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.upstreams)) {
		site.Upstreams = append(site.Upstreams, b.upstreams[name])
	}
	return site
}

// serverName makes a wildcard stand for one label, as Ingress has it; nginx's own
// would stand for many.
func serverName(name string) string {
	if rest, isWildcard := strings.CutPrefix(name, "*."); isWildcard {
		return `"~^[^.]+\.` + strings.ReplaceAll(rest, ".", `\.`) + `$"`
	}
	return name
}
