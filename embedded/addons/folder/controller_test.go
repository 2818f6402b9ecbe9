package folder

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
)

type rig struct {
	client *fake.Clientset
	events *events.FakeRecorder
	dir    string
}

// start runs the instance of node k2 on a simulated cluster and a real folder.
func start(t *testing.T, objects ...runtime.Object) rig {
	t.Helper()
	rig := rig{fake.NewClientset(objects...), events.NewFakeRecorder(16), filepath.Join(t.TempDir(), "volumes")}
	disk, err := openDisk(rig.dir)
	if err != nil {
		t.Fatal(err)
	}
	controller, err := newController(rig.client, rig.events, slog.New(slog.DiscardHandler), "k2", rig.dir, disk)
	if err != nil {
		t.Fatal(err)
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
	return rig
}

func (r rig) event(t *testing.T) string {
	t.Helper()
	select {
	case event := <-r.events.Events:
		return event
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
		return ""
	}
}

func (r rig) volume(t *testing.T, name string) *corev1.PersistentVolume {
	t.Helper()
	volume, err := r.client.CoreV1().PersistentVolumes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

func TestClaimBoundAtOnceIsTakenAndProvided(t *testing.T) {
	claim := newClaim()
	rig := start(t, newNode("k1", corev1.TaintEffectNoSchedule), newNode("k2"), newClass(storagev1.VolumeBindingImmediate), claim)

	if event := rig.event(t); !strings.Contains(event, "ProvisioningSucceeded") {
		t.Errorf("event %q", event)
	}
	volume := rig.volume(t, "pvc-"+string(claim.UID))
	if !isOn(volume, "k2") || !isHeld(volume) {
		t.Errorf("volume %v is not one of ours on k2", volume.ObjectMeta)
	}
	if volume.Spec.Local.Path != filepath.Join(rig.dir, folderName(claim)) {
		t.Errorf("path %q", volume.Spec.Local.Path)
	}
	checkMode(t, volume.Spec.Local.Path, 0o777)
	taken, err := rig.client.CoreV1().PersistentVolumeClaims("openstack").Get(t.Context(), claim.Name, metav1.GetOptions{})
	if err != nil || taken.Annotations[nodeAnnotation] != "k2" {
		t.Errorf("the claim is not taken: %v, %v", taken, err)
	}
}

func TestRefusalIsAnEvent(t *testing.T) {
	claim := newClaim(annotated(selectedNodeAnnotation, "k2"), modes(corev1.ReadWriteMany))
	rig := start(t, newNode("k2"), newClass(storagev1.VolumeBindingWaitForFirstConsumer), claim)

	event := rig.event(t)
	for _, part := range []string{"Warning", "ProvisioningFailed", "ReadWriteMany", "Ask for ReadWriteOnce"} {
		if !strings.Contains(event, part) {
			t.Errorf("event %q lacks %q", event, part)
		}
	}
	if entries, err := os.ReadDir(rig.dir); err != nil || len(entries) > 0 {
		t.Errorf("folders were made: %v, %v", entries, err)
	}
}

func TestExpansionIsAnEvent(t *testing.T) {
	claim := newClaim()
	volume, err := newVolume(claim, newClass(storagev1.VolumeBindingImmediate), newNode("k2"), "/v")
	if err != nil {
		t.Fatal(err)
	}
	volume.Status.Phase = corev1.VolumeBound
	claim.Spec.VolumeName = volume.Name
	claim.Status.Phase = corev1.ClaimBound
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("9Gi")
	rig := start(t, newNode("k2"), newClass(storagev1.VolumeBindingImmediate), volume, claim)

	if event := rig.event(t); !strings.Contains(event, "VolumeResizeFailed") || !strings.Contains(event, "from 5Gi to 9Gi") {
		t.Errorf("event %q", event)
	}
}

func TestLettingGo(t *testing.T) {
	for name, test := range map[string]struct {
		change     func(*corev1.PersistentVolume)
		keepFolder bool
		keepVolume bool
	}{
		"its claim is gone": {change: func(*corev1.PersistentVolume) {}},
		"its claim is gone, and it is retained": {
			change: func(volume *corev1.PersistentVolume) {
				volume.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
			},
			keepFolder: true, keepVolume: true,
		},
		"it is deleted, and was retained": {
			change: func(volume *corev1.PersistentVolume) {
				volume.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
				volume.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
			},
			keepFolder: true,
		},
		"it is deleted, but still used": {
			change: func(volume *corev1.PersistentVolume) {
				volume.Status.Phase = corev1.VolumeBound
				volume.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
			},
			keepFolder: true, keepVolume: true,
		},
		"it is another node's": {
			change: func(volume *corev1.PersistentVolume) {
				volume.Annotations[nodeAnnotation] = "k1"
				volume.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
			},
			keepFolder: true, keepVolume: true,
		},
		"it points elsewhere": {
			change: func(volume *corev1.PersistentVolume) {
				volume.Spec.Local.Path = "/etc"
				volume.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
			},
			keepFolder: true, keepVolume: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "volumes")
			disk, err := openDisk(dir)
			if err != nil {
				t.Fatal(err)
			}
			volume, err := newVolume(newClaim(), newClass(storagev1.VolumeBindingImmediate), newNode("k2"), dir)
			if err != nil {
				t.Fatal(err)
			}
			folder := volume.Spec.Local.Path
			if err := disk.make(filepath.Base(folder)); err != nil {
				t.Fatal(err)
			}
			volume.Status.Phase = corev1.VolumeReleased
			test.change(volume)

			client := fake.NewClientset(volume)
			controller, err := newController(client, events.NewFakeRecorder(16), slog.New(slog.DiscardHandler), "k2", dir, disk)
			if err != nil {
				t.Fatal(err)
			}
			settleVolume(t, controller, client, volume)

			_, err = os.Stat(folder)
			if kept := err == nil; kept != test.keepFolder {
				t.Errorf("folder kept: %v, want %v", kept, test.keepFolder)
			}
			left, err := client.CoreV1().PersistentVolumes().Get(t.Context(), volume.Name, metav1.GetOptions{})
			if kept := err == nil && isHeld(left); kept != test.keepVolume {
				t.Errorf("volume kept: %v (%v), want %v", kept, err, test.keepVolume)
			}
		})
	}
}

// settleVolume goes on with a volume until it no longer changes. The simulated
// cluster knows nothing of finalizers: a deletion is put in by hand.
func settleVolume(t *testing.T, controller *controller, client *fake.Clientset, volume *corev1.PersistentVolume) {
	t.Helper()
	store := controller.factory.Core().V1().PersistentVolumes().Informer().GetStore()
	if err := store.Add(volume); err != nil {
		t.Fatal(err)
	}
	// An error is an outcome too; what it leaves behind is checked by the caller.
	_ = controller.syncVolume(t.Context(), work{name: volume.Name})
	deleted := slices.ContainsFunc(client.Actions(), func(action clienttesting.Action) bool { return action.GetVerb() == "delete" })
	if !deleted {
		return
	}
	marked := volume.DeepCopy()
	marked.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	if _, err := client.CoreV1().PersistentVolumes().Create(t.Context(), marked, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	if err := store.Update(marked); err != nil {
		t.Fatal(err)
	}
	if err := controller.syncVolume(t.Context(), work{name: volume.Name}); err != nil {
		t.Fatal(err)
	}
}
