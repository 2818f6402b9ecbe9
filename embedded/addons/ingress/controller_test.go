package ingress

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
)

// fakeServer hands on what it is given, or refuses it.
type fakeServer struct {
	served chan Configuration
	refuse func(Configuration) error
}

func (s *fakeServer) apply(_ context.Context, configuration Configuration) error {
	if s.refuse != nil {
		if err := s.refuse(configuration); err != nil {
			return err
		}
	}
	s.served <- configuration
	return nil
}

func (s *fakeServer) next(t *testing.T) string {
	t.Helper()
	select {
	case configuration := <-s.served:
		return string(configuration.Text)
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was served")
		return ""
	}
}

func startController(t *testing.T, server server, objects ...runtime.Object) (*fake.Clientset, *events.FakeRecorder, *controller) {
	t.Helper()
	client := fake.NewClientset(objects...)
	recorder := events.NewFakeRecorder(16)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "certificates"), 0o700); err != nil {
		t.Fatal(err)
	}
	controller := &controller{
		name:         testController,
		address:      "192.0.2.1",
		client:       client,
		watches:      newWatches(client),
		events:       recorder,
		server:       server,
		frame:        Frame{Dir: dir, OpenFiles: 1024, ReadTimeout: "60s"},
		certificates: certificates{filepath.Join(dir, "certificates")},
		log:          slog.New(slog.DiscardHandler),
		changed:      make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- controller.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("controller: %v", err)
		}
	})
	return client, recorder, controller
}

func TestControllerFollowsTheCluster(t *testing.T) {
	server := &fakeServer{served: make(chan Configuration, 8)}
	client, _, _ := startController(t, server, webObjects("web.example.com", "10.0.0.1", 8080)...)

	if text := server.next(t); !strings.Contains(text, "server 10.0.0.1:8080") {
		t.Errorf("the endpoint is missing in\n%s", text)
	}
	waitForAddress(t, client, "192.0.2.1")

	// What changes nothing for nginx does not reach it; the endpoint after it does.
	ctx := t.Context()
	service, err := client.CoreV1().Services("default").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	service.Labels = map[string]string{"touched": "yes"}
	if _, err := client.CoreV1().Services("default").Update(ctx, service, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	slice := webSlice("10.0.0.2", 8080)
	if _, err := client.DiscoveryV1().EndpointSlices("default").Update(ctx, slice, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if text := server.next(t); !strings.Contains(text, "server 10.0.0.2:8080") {
		t.Errorf("not the new endpoint is next, but\n%s", text)
	}
}

func TestControllerTellsProblemsOnce(t *testing.T) {
	server := &fakeServer{served: make(chan Configuration, 8)}
	objects := webObjects("web.example.com", "10.0.0.1", 8080)
	objects[1].(*networkingv1.Ingress).Spec.TLS = []networkingv1.IngressTLS{{SecretName: "absent"}}
	client, recorder, _ := startController(t, server, objects...)
	server.next(t)

	if _, err := client.DiscoveryV1().EndpointSlices("default").Update(t.Context(), webSlice("10.0.0.2", 80), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	server.next(t)
	if event := <-recorder.Events; !strings.Contains(event, "CertificateMissing") || !strings.Contains(event, "default/absent") {
		t.Errorf("event %q does not tell of the certificate", event)
	}
	select {
	case event := <-recorder.Events:
		t.Errorf("told again: %q", event)
	default:
	}
}

func TestRefusedConfigurationIsNotPublished(t *testing.T) {
	server := &fakeServer{served: make(chan Configuration, 8)}
	server.refuse = func(configuration Configuration) error {
		if strings.Contains(string(configuration.Text), "refused.example.com") {
			return errRefused
		}
		return nil
	}
	client, _, controller := startController(t, server, webObjects("web.example.com", "10.0.0.1", 8080)...)
	server.next(t)
	waitForAddress(t, client, "192.0.2.1")

	refused := webObjects("refused.example.com", "", 0)[1].(*networkingv1.Ingress)
	refused.Name = "refused"
	if _, err := client.NetworkingV1().Ingresses("default").Create(t.Context(), refused, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// The next change is served only after the refusal has been gone through.
	if err := client.NetworkingV1().Ingresses("default").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.NetworkingV1().Ingresses("default").Delete(t.Context(), "refused", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	server.next(t)
	if !controller.serving.Load() {
		t.Error("a refusal stopped the serving of what came before")
	}
	for _, action := range client.Actions() {
		if patch, isPatch := action.(clienttesting.PatchAction); isPatch && patch.GetName() == "refused" {
			t.Error("the refused Ingress got an address")
		}
	}
}

func TestFirstRefusalEndsTheController(t *testing.T) {
	server := &fakeServer{refuse: func(Configuration) error { return errRefused }}
	client := fake.NewClientset(webObjects("web.example.com", "10.0.0.1", 80)...)
	controller := &controller{
		name: testController, client: client, watches: newWatches(client), server: server,
		frame: Frame{Dir: t.TempDir()}, log: slog.New(slog.DiscardHandler), changed: make(chan struct{}, 1),
	}
	if err := controller.run(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("run: %v, want the refusal", err)
	}
}

// webObjects are a default class, an Ingress for a host, its Service and one endpoint.
func webObjects(host, address string, port int32) []runtime.Object {
	prefix := networkingv1.PathTypePrefix
	return []runtime.Object{
		&networkingv1.IngressClass{
			ObjectMeta: metav1.ObjectMeta{Name: "nginx", Annotations: map[string]string{defaultClassAnnotation: "true"}},
			Spec:       networkingv1.IngressClassSpec{Controller: testController},
		},
		&networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
			Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
				Host: host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: "/", PathType: &prefix,
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: "web", Port: networkingv1.ServiceBackendPort{Name: "http"},
						}},
					}},
				}},
			}}},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
		},
		webSlice(address, port),
	}
}

func webSlice(address string, port int32) *discoveryv1.EndpointSlice {
	name := "http"
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-a", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "web"},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}}},
	}
}

func waitForAddress(t *testing.T, client *fake.Clientset, address string) {
	t.Helper()
	eventually(t, "the address in the status", func() bool {
		ingress, err := client.NetworkingV1().Ingresses("default").Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil && len(ingress.Status.LoadBalancer.Ingress) == 1 && ingress.Status.LoadBalancer.Ingress[0].IP == address
	})
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("%s did not come", what)
		case <-ticker.C:
		}
	}
}
