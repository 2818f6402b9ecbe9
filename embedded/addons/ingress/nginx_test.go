package ingress

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func nginxBinary(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("nginx is not installed")
	return ""
}

// TestNginxTakesEveryConfiguration lets nginx judge what the snapshots show.
func TestNginxTakesEveryConfiguration(t *testing.T) {
	binary := nginxBinary(t)
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no input: %v", err)
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			frame := testFrame(t)
			certificate, err := certificates{frame.Dir}.writeDefault(time.Now())
			if err != nil {
				t.Fatal(err)
			}
			frame.DefaultCertificate = certificate
			objects := readObjects(t, input)
			for secret := range objects.Certificates {
				objects.Certificates[secret] = certificate
			}
			site, _ := Build(objects, testController)
			configuration, err := Render(frame, site)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(frame.Dir, "nginx.conf")
			if err := os.WriteFile(path, configuration.Text, 0o600); err != nil {
				t.Fatal(err)
			}
			if output, err := exec.Command(binary, "-t", "-e", "stderr", "-c", path).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
}

// TestNginxServes runs the whole controller with a real nginx before real backends;
// only the cluster is simulated.
func TestNginxServes(t *testing.T) {
	backend := func(name string) (string, int32) {
		server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			if request.Header.Get("Upgrade") == "echo" {
				echo(response)
				return
			}
			fmt.Fprintf(response, "%s host=%s proto=%s for=%s port=%s", name, request.Host,
				request.Header.Get("X-Forwarded-Proto"), request.Header.Get("X-Forwarded-For"), request.Header.Get("X-Forwarded-Port"))
		}))
		t.Cleanup(server.Close)
		host, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		number, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		return host, int32(number)
	}
	settings := settings{
		controller: testController, address: "127.0.0.1", nginx: nginxBinary(t), statusPort: freePort(t), frame: testFrame(t),
	}
	client := fake.NewClientset(webObjects("web.example.com", "", 0)[:3]...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, slog.New(slog.NewTextHandler(t.Output(), nil)), client, settings) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended with %v", err)
		}
	}()

	plain := fmt.Sprintf("127.0.0.1:%d", settings.frame.HTTPPort)
	probe := fmt.Sprintf("http://127.0.0.1:%d/healthz", settings.statusPort)
	eventually(t, "health", func() bool { status, _ := get(t, probe, ""); return status == http.StatusOK })
	expect := func(host, path string, status int, content string) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d %q from %s%s", status, content, host, path), func() bool {
			got, body := get(t, "http://"+plain+path, host)
			return got == status && strings.Contains(body, content)
		})
	}

	expect("nobody.example.com", "/", http.StatusNotFound, "")
	expect("web.example.com", "/", http.StatusServiceUnavailable, "")

	address, port := backend("first")
	if _, err := client.DiscoveryV1().EndpointSlices("default").Create(ctx, webSlice(address, port), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	expect("web.example.com", "/a%20b?c=d", http.StatusOK,
		fmt.Sprintf("first host=web.example.com proto=http for=127.0.0.1 port=%d", settings.frame.HTTPPort))
	waitForAddress(t, client, "127.0.0.1")

	address, port = backend("second")
	if _, err := client.DiscoveryV1().EndpointSlices("default").Update(ctx, webSlice(address, port), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	expect("web.example.com", "/", http.StatusOK, "second")
	checkUpgrade(t, plain, "web.example.com")

	// With a certificate, HTTPS shows it and HTTP leads to it.
	pool := addCertificate(t, client, "web.example.com")
	eventually(t, "the redirect to HTTPS", func() bool {
		status, location := getRedirect(t, "http://"+plain+"/x?y=z", "web.example.com")
		return status == http.StatusPermanentRedirect &&
			location == fmt.Sprintf("https://web.example.com:%d/x?y=z", settings.frame.HTTPSPort)
	})
	secure := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", settings.frame.HTTPSPort))
		},
	}}
	// Workers of before may still take a connection while those of now start.
	eventually(t, "an answer by HTTPS", func() bool {
		response, err := secure.Get("https://web.example.com/")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return err == nil && strings.Contains(string(body), "second") && strings.Contains(string(body), "proto=https")
	})
}

func TestControllerEndsWithNginx(t *testing.T) {
	settings := settings{controller: testController, nginx: nginxBinary(t), statusPort: freePort(t), frame: testFrame(t)}
	ended := make(chan error, 1)
	go func() { ended <- serve(t.Context(), slog.New(slog.DiscardHandler), fake.NewClientset(), settings) }()

	pidFile := filepath.Join(settings.frame.Dir, "nginx.pid")
	probe := fmt.Sprintf("http://127.0.0.1:%d/healthz", settings.statusPort)
	eventually(t, "health", func() bool { status, _ := get(t, probe, ""); return status == http.StatusOK })
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "nginx ended") {
			t.Errorf("the controller ended with %v, which does not name nginx", err)
		}
	case <-time.After(15 * time.Second):
		t.Error("nginx ended, and the controller stays")
	}
}

func testFrame(t *testing.T) Frame {
	frame := Frame{
		Dir: t.TempDir(), Workers: 1, OpenFiles: 1024, Address: "127.0.0.1",
		HTTPPort: freePort(t), HTTPSPort: freePort(t), ReadTimeout: "60s",
	}
	if os.Geteuid() == 0 {
		frame.User = "root" // a test's folder is closed to everyone else
	}
	return frame
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// get answers status 0 where there is no answer.
func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	response, body := request(t, url, host)
	if response == nil {
		return 0, ""
	}
	return response.StatusCode, body
}

func getRedirect(t *testing.T, url, host string) (int, string) {
	t.Helper()
	response, _ := request(t, url, host)
	if response == nil {
		return 0, ""
	}
	return response.StatusCode, response.Header.Get("Location")
}

func request(t *testing.T, url, host string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, ""
	}
	return response, string(body)
}

// echo switches protocols and gives back the first line.
func echo(response http.ResponseWriter) {
	connection, buffer, err := http.NewResponseController(response).Hijack()
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	defer connection.Close()
	fmt.Fprint(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if line, err := buffer.ReadString('\n'); err == nil {
		fmt.Fprint(connection, line)
	}
}

func checkUpgrade(t *testing.T, address, host string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", host)
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", response, err)
	}
	fmt.Fprintln(connection, "through and back")
	if line, err := reader.ReadString('\n'); err != nil || line != "through and back\n" {
		t.Errorf("upgraded connection gave %q, %v", line, err)
	}
}

func addCertificate(t *testing.T, client *fake.Clientset, host string) *x509.CertPool {
	t.Helper()
	chain, key := selfSigned(t, host)
	_, err := client.CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "web-tls", Namespace: "default"},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ingress, err := client.NetworkingV1().Ingresses("default").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ingress.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "web-tls"}}
	if _, err := client.NetworkingV1().Ingresses("default").Update(t.Context(), ingress, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(chain) {
		t.Fatal("the certificate cannot be read")
	}
	return pool
}

func selfSigned(t *testing.T, host string) (chain, key []byte) {
	t.Helper()
	content, err := newCertificate(host, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	first, rest := pem.Decode(content)
	return pem.EncodeToMemory(first), rest
}
