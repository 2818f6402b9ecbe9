package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/Masterminds/sprig/v3"
	"helm.sh/helm/v4/pkg/action"
	ci "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli/values"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
)

// template renders one template as the notes of a chart, with the values given: notes need not be manifests.
func template(q question) (string, error) {
	vals, err := tree(q.Values)
	if err != nil {
		return "", err
	}
	c := &v2.Chart{
		Metadata:  &v2.Metadata{APIVersion: v2.APIVersionV2, Name: "t", Version: "1.0.0"},
		Templates: []*common.File{{Name: "templates/NOTES.txt", Data: []byte(q.Text)}},
	}
	options := common.ReleaseOptions{Name: "rel", Namespace: "ns", Revision: 1, IsInstall: true}
	top, err := util.ToRenderValues(c, vals, options, common.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	rendered, err := new(engine.Engine).Render(c, top)
	return rendered["t/templates/NOTES.txt"], err
}

// tree is a mapping as a values file gives it: its numbers are floats.
func tree(text json.RawMessage) (map[string]any, error) {
	vals := map[string]any{}
	if len(text) == 0 {
		return vals, nil
	}
	err := json.Unmarshal(text, &vals)
	return vals, err
}

// chart prints what `helm template rel CHART -n ns` prints, hooks included, then the notes.
func chart(q question) (string, error) {
	loaded, err := loader.Load(q.Chart)
	if err != nil {
		return "", err
	}
	vals, err := (&values.Options{ValueFiles: q.Files}).MergeValues(nil)
	if err != nil {
		return "", err
	}
	if given, err := tree(q.Values); err != nil {
		return "", err
	} else if len(given) > 0 {
		vals = given
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return "", fmt.Errorf("%s charts are not installable", kind)
	}
	var wanted []ci.Dependency
	for _, dependency := range loaded.Metadata.Dependencies {
		wanted = append(wanted, dependency)
	}
	if err := action.CheckDependencies(loaded, wanted); err != nil {
		return "", err
	}
	client := action.NewInstall(action.NewConfiguration())
	client.DryRunStrategy = action.DryRunClient
	client.ReleaseName, client.Namespace, client.Replace = "rel", "ns", true
	client.IncludeCRDs = q.CRDs
	done, err := client.Run(loaded, vals)
	if err != nil {
		return "", err
	}
	rel, ok := done.(*release.Release)
	if !ok {
		return "", fmt.Errorf("a release of another kind: %T", done)
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, strings.TrimSpace(rel.Manifest))
	for _, hook := range rel.Hooks {
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	_, err = io.WriteString(&out, "NOTES:\n"+rel.Info.Notes)
	return out.String(), err
}

// functions lists the names that come from Sprig, one a line; those of Helm's own are found by asking.
func functions(question) (string, error) {
	var names []string
	for name := range sprig.TxtFuncMap() {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, "\n"), nil
}
