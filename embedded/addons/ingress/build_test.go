package ingress

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const testController = "landfall.dev/ingress-nginx"

var update = flag.Bool("update", false, "write the snapshots anew")

// TestSnapshots builds and renders every testdata/*.yaml and compares with the .conf
// beside it, which ends with the problems told.
func TestSnapshots(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no input: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			site, problems := Build(readObjects(t, input), testController)
			configuration, err := Render(Frame{
				Dir: "/run/landfall-ingress", User: "www-data", Workers: 2, HTTPPort: 80, HTTPSPort: 443,
				IPv6: true, AccessLog: true, ReadTimeout: "600s", DefaultCertificate: "/run/default.pem",
			}, site)
			if err != nil {
				t.Fatal(err)
			}
			// What precedes the upstreams is the same for every input.
			_, text, _ := strings.Cut(string(configuration.Text), "    # What the controller asks")
			_, text, _ = strings.Cut(text, "    }\n\n")
			for _, problem := range problems {
				text += fmt.Sprintf("# %s: %s: %s\n", problem.Owner, problem.Reason, problem.Message)
			}
			snapshot := strings.TrimSuffix(input, ".yaml") + ".conf"
			if *update {
				if err := os.WriteFile(snapshot, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(snapshot)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("differs from %s (run with -update to accept):\n%s", snapshot, text)
			}
		})
	}
}

func TestRenderIsDeterministicAndNamesItsContent(t *testing.T) {
	objects := readObjects(t, "testdata/openstack.yaml")
	render := func() Configuration {
		site, _ := Build(objects, testController)
		configuration, err := Render(Frame{Dir: "/d", ReadTimeout: "1s"}, site)
		if err != nil {
			t.Fatal(err)
		}
		return configuration
	}
	first, again := render(), render()
	if !bytes.Equal(first.Text, again.Text) || first.Generation != again.Generation {
		t.Error("the same objects gave two configurations")
	}
	objects.Slices["openstack/glance-api"][0].Endpoints = nil
	if changed := render(); changed.Generation == first.Generation {
		t.Error("an endpoint left, and the generation stayed")
	}
}

// readObjects takes every Secret named by an Ingress in a namespace but `default` to
// exist.
func readObjects(t *testing.T, path string) *Objects {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	objects := &Objects{
		Services:     map[string]*corev1.Service{},
		Slices:       map[string][]*discoveryv1.EndpointSlice{},
		Certificates: map[string]string{},
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(file))
	for {
		document, err := documents.Read()
		if err == io.EOF {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch object := object.(type) {
		case *networkingv1.IngressClass:
			objects.Classes = append(objects.Classes, object)
		case *networkingv1.Ingress:
			objects.Ingresses = append(objects.Ingresses, object)
			for _, entry := range object.Spec.TLS {
				if object.Namespace != "default" {
					objects.Certificates[object.Namespace+"/"+entry.SecretName] = "/run/" + entry.SecretName + ".pem"
				}
			}
		case *corev1.Service:
			objects.Services[object.Namespace+"/"+object.Name] = object
		case *discoveryv1.EndpointSlice:
			key := object.Namespace + "/" + object.Labels[discoveryv1.LabelServiceName]
			objects.Slices[key] = append(objects.Slices[key], object)
		default:
			t.Fatalf("%s: %T is not expected", path, object)
		}
	}
}
