package ingress

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// certificates keeps the files that nginx reads certificates from. A file's name
// comes from its content: a renewed certificate is a new file, so it changes the
// configuration's text, and that makes nginx read it.
type certificates struct{ dir string }

// path is where the certificate of a Secret is, or would be. It is false where the
// Secret holds no certificate with a key that belongs to it.
func (c certificates) path(secret *corev1.Secret) (string, []byte, bool) {
	chain, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	if _, err := tls.X509KeyPair(chain, key); err != nil {
		return "", nil, false
	}
	content := bytes.Join([][]byte{bytes.TrimSpace(chain), bytes.TrimSpace(key), nil}, []byte("\n"))
	return c.file(content), content, true
}

func (c certificates) file(content []byte) string {
	sum := sha256.Sum256(content)
	return filepath.Join(c.dir, hex.EncodeToString(sum[:])+".pem")
}

func (c certificates) write(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil // by its name, its content is right
	}
	return writeFile(path, content)
}

// prune removes the certificates that are no longer used.
func (c certificates) prune(used map[string]bool) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if path := filepath.Join(c.dir, entry.Name()); !used[path] {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDefault makes the certificate for hosts that have none: new with every start,
// and good for nothing but an encrypted answer.
func (c certificates) writeDefault(now time.Time) (string, error) {
	content, err := newCertificate("ingress.invalid", now)
	if err != nil {
		return "", err
	}
	path := c.file(content)
	return path, c.write(path, content)
}

// newCertificate makes a self-signed certificate and its key, both as PEM.
func newCertificate(host string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "Landfall ingress default certificate"},
		DNSNames:     []string{host},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// writeFile replaces a file as a whole; only its owner may read it.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
