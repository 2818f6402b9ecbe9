package main

import (
	"encoding/json"
	"fmt"
	"os"

	masterminds "github.com/Masterminds/semver/v3"
	helm "helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// yamlRead gives the JSON of a YAML document.
func yamlRead(q question) (string, error) {
	var value any
	if err := yaml.Unmarshal([]byte(q.Text), &value); err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	return string(text), err
}

// yamlWrite gives the YAML of a JSON document.
func yamlWrite(q question) (string, error) {
	var value any
	if err := json.Unmarshal(q.Values, &value); err != nil {
		return "", err
	}
	text, err := yaml.Marshal(value)
	return string(text), err
}

// semver tells whether the version More fits the constraint Text.
func semver(q question) (string, error) {
	constraint, err := masterminds.NewConstraint(q.Text)
	if err != nil {
		return "", err
	}
	version, err := masterminds.NewVersion(q.More)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(constraint.Check(version)), nil
}

// version compares Text with More, and shows how Text is read.
func version(q question) (string, error) {
	a, err := masterminds.NewVersion(q.Text)
	if err != nil {
		return "", err
	}
	b, err := masterminds.NewVersion(q.More)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(a, " ", a.Compare(b)), nil
}

// strvals sets Text upon Values by the rules of More and gives the JSON of all.
func strvals(q question) (string, error) {
	values, err := tree(q.Values)
	if err != nil {
		return "", err
	}
	switch q.More {
	case "set":
		err = helm.ParseInto(q.Text, values)
	case "set-string":
		err = helm.ParseIntoString(q.Text, values)
	case "set-json":
		err = helm.ParseJSON(q.Text, values)
	case "set-literal":
		err = helm.ParseLiteralInto(q.Text, values)
	case "set-file":
		err = helm.ParseIntoFile(q.Text, values, func(name []rune) (any, error) {
			text, err := os.ReadFile(string(name))
			return string(text), err
		})
	default:
		err = fmt.Errorf("unknown kind of setting %q", q.More)
	}
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(values)
	return string(text), err
}
