package folder

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/yaml"
)

func TestNewVolume(t *testing.T) {
	class := newClass(storagev1.VolumeBindingWaitForFirstConsumer)
	volume, err := newVolume(newClaim(), class, newNode("k2"), "/var/lib/landfall/volumes")
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(volume)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/volume.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("differs from testdata/volume.yaml:\n%s", got)
	}

	node := newNode("k2")
	node.Labels = nil
	if _, err := newVolume(newClaim(), class, node, "/v"); err == nil {
		t.Error("a node that no pod can be led to got a volume")
	}
}

func TestFolderNameFitsAFileSystem(t *testing.T) {
	claim := newClaim()
	if name := folderName(claim); name != "openstack-mysql-data-1b4e28ba-2fa1-11d2-883f-0016d3cca427" {
		t.Errorf("name %q", name)
	}
	claim.Namespace, claim.Name = strings.Repeat("n", 63), strings.Repeat("c", 253)
	if name := folderName(claim); len(name) != nameLimit || !strings.HasSuffix(name, string(claim.UID)) {
		t.Errorf("name of %d characters: %q", len(name), name)
	}
}

func TestFolderOfTakesOnlyWhatIsRightBelow(t *testing.T) {
	for path, want := range map[string]string{
		"/v/openstack-a-1": "openstack-a-1",
		"/v/..":            "",
		"/v/.":             "",
		"/v/":              "",
		"/v":               "",
		"/v/a/b":           "",
		"/v/../etc":        "",
		"/volumes/a":       "",
		"/etc":             "",
	} {
		volume := &corev1.PersistentVolume{}
		volume.Spec.Local = &corev1.LocalVolumeSource{Path: path}
		got, err := folderOf(volume, "/v")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "volumes")
	disk, err := openDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	mask := syscall.Umask(0o077)
	defer syscall.Umask(mask)
	if err := disk.make("a"); err != nil {
		t.Fatal(err)
	}
	checkMode(t, dir, 0o700)
	checkMode(t, filepath.Join(dir, "a"), 0o777)

	// Made again after a pod has taken it over, it stays as the pod wants it.
	if err := os.Chmod(filepath.Join(dir, "a"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := disk.make("a"); err != nil {
		t.Fatal(err)
	}
	checkMode(t, filepath.Join(dir, "a"), 0o750)

	// What a volume holds may point anywhere; only what is inside goes.
	outside := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} { // the second time there is nothing
		if removed, err := disk.remove("a"); removed != want || err != nil {
			t.Fatalf("removed: %v, %v", removed, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("what the volume only pointed to is gone: %v", err)
	}
	if _, err := disk.remove("../kept"); err == nil {
		t.Error("a path that leads out was taken")
	}
}

func checkMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
	}
}
