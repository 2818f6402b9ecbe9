package ingress

import (
	"regexp"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
)

// The annotations are those of ingress-nginx, so that charts written for it work.
// Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
const annotationPrefix = "nginx.ingress.kubernetes.io/"

var (
	sizePattern    = regexp.MustCompile(`^[0-9]{1,12}[kKmMgG]?$`)
	secondsPattern = regexp.MustCompile(`^[0-9]{1,7}s?$`)
	switchPattern  = regexp.MustCompile(`^(on|off)$`)
	schemePattern  = regexp.MustCompile(`^(?i:https?)$`)
)

// options reads the annotations that are known. A value that does not fit is left out
// and told: it must never reach nginx's configuration as text.
func options(ingress *networkingv1.Ingress) (Options, []Problem) {
	var read Options
	var problems []Problem
	for _, known := range []struct {
		name    string
		pattern *regexp.Regexp
		target  *string
	}{
		{"backend-protocol", schemePattern, &read.Scheme},
		{"proxy-body-size", sizePattern, &read.BodySize},
		{"proxy-buffering", switchPattern, &read.Buffering},
		{"proxy-connect-timeout", secondsPattern, &read.ConnectTimeout},
		{"proxy-read-timeout", secondsPattern, &read.ReadTimeout},
		{"proxy-request-buffering", switchPattern, &read.RequestBuffering},
		{"proxy-send-timeout", secondsPattern, &read.SendTimeout},
	} {
		value, set := ingress.Annotations[annotationPrefix+known.name]
		switch {
		case !set:
		case known.pattern.MatchString(value):
			*known.target = strings.ToLower(value)
		default:
			problems = append(problems, Problem{
				Owner:   owner(ingress),
				Reason:  "InvalidAnnotation",
				Message: "annotation " + annotationPrefix + known.name + " is ignored: its value does not match " + known.pattern.String(),
			})
		}
	}
	return read, problems
}

// redirects tells whether plain requests go to HTTPS where the host has a certificate,
// which is ingress-nginx's default.
func redirects(ingress *networkingv1.Ingress) bool {
	return ingress.Annotations[annotationPrefix+"ssl-redirect"] != "false"
}

func owner(ingress *networkingv1.Ingress) string { return ingress.Namespace + "/" + ingress.Name }
