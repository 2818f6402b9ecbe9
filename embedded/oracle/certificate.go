package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// certificate tells what a certificate in PEM says, but for what is random: its number, keys and times of day.
// Text is the certificate, followed by its key; More, if given, the authority that has to have signed it.
func certificate(q question) (string, error) {
	cert, err := first(q.Text)
	if err != nil {
		return "", err
	}
	if _, err := tls.X509KeyPair([]byte(q.Text), []byte(q.Text)); err != nil {
		return "", fmt.Errorf("certificate and key do not belong together: %w", err)
	}
	signer := cert
	if q.More != "" {
		if signer, err = first(q.More); err != nil {
			return "", err
		}
	}
	if err := signer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		return "", err
	}
	told := map[string]any{
		"subject":   cert.Subject.String(),
		"issuer":    cert.Issuer.String(),
		"algorithm": cert.SignatureAlgorithm.String(),
		"key":       kind(cert.PublicKey),
		"blocks":    blocks(q.Text),
		"hours":     int(cert.NotAfter.Sub(cert.NotBefore).Round(time.Hour).Hours()),
		"begun":     time.Since(cert.NotBefore) < time.Hour && time.Now().After(cert.NotBefore),
		"usage":     int(cert.KeyUsage),
		"uses":      cert.ExtKeyUsage,
		"isCA":      cert.IsCA,
		"basic":     cert.BasicConstraintsValid,
		"path":      cert.MaxPathLen,
		"names":     cert.DNSNames,
		"addresses": fmt.Sprint(cert.IPAddresses),
		"serial":    cert.SerialNumber.Sign() > 0 && cert.SerialNumber.BitLen() <= 128,
	}
	if len(cert.AuthorityKeyId) > 0 {
		told["authority"] = slices.Equal(cert.AuthorityKeyId, signer.SubjectKeyId)
	}
	told["identified"] = len(cert.SubjectKeyId)
	var extensions []string
	for _, extension := range cert.Extensions {
		extensions = append(extensions, fmt.Sprint(extension.Id, " ", extension.Critical))
	}
	told["extensions"] = extensions
	text, err := json.Marshal(told)
	return string(text), err
}

func first(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func blocks(text string) (kinds []string) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		kinds = append(kinds, block.Type)
	}
	return kinds
}

func kind(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprint("RSA ", key.N.BitLen(), " ", key.E)
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", key)
}
