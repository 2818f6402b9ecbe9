package folder

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func newClaim(change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	class := "general"
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Name: "mysql-data", Namespace: "openstack", UID: "1b4e28ba-2fa1-11d2-883f-0016d3cca427", ResourceVersion: "7",
			Annotations: map[string]string{provisionerAnnotation: Provisioner},
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")},
			},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	for _, change := range change {
		change(claim)
	}
	return claim
}

func annotated(key, value string) func(*corev1.PersistentVolumeClaim) {
	return func(claim *corev1.PersistentVolumeClaim) { claim.Annotations[key] = value }
}

func modes(modes ...corev1.PersistentVolumeAccessMode) func(*corev1.PersistentVolumeClaim) {
	return func(claim *corev1.PersistentVolumeClaim) { claim.Spec.AccessModes = modes }
}

func newClass(mode storagev1.VolumeBindingMode) *storagev1.StorageClass {
	reclaim := corev1.PersistentVolumeReclaimDelete
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "general"}, Provisioner: Provisioner,
		VolumeBindingMode: &mode, ReclaimPolicy: &reclaim,
	}
}

func newNode(name string, taints ...corev1.TaintEffect) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name + "-host"}}}
	for _, effect := range taints {
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: "key", Effect: effect})
	}
	return node
}

func TestDecide(t *testing.T) {
	late, now := newClass(storagev1.VolumeBindingWaitForFirstConsumer), newClass(storagev1.VolumeBindingImmediate)
	foreign := newClass(storagev1.VolumeBindingImmediate)
	foreign.Provisioner = "example.com/other"
	unset := newClass("")
	unset.VolumeBindingMode = nil
	nodes := []*corev1.Node{newNode("k1", corev1.TaintEffectNoSchedule), newNode("k2")}
	selected := annotated(selectedNodeAnnotation, "k2")

	for name, test := range map[string]struct {
		claim *corev1.PersistentVolumeClaim
		class *storagev1.StorageClass
		self  string
		want  action
		says  string
	}{
		"waits for a pod":               {newClaim(), late, "k2", ignore, ""},
		"a pod chose this node":         {newClaim(selected), late, "k2", provide, ""},
		"a pod chose another node":      {newClaim(selected), late, "k1", ignore, ""},
		"a pod chose before all was":    {newClaim(selected), now, "k2", provide, ""},
		"at once, and open":             {newClaim(), now, "k2", take, ""},
		"at once is what is not said":   {newClaim(), unset, "k2", take, ""},
		"at once, another node is open": {newClaim(), now, "k1", ignore, ""},
		"taken by this node":            {newClaim(annotated(nodeAnnotation, "k2")), now, "k2", provide, ""},
		"taken by another node":         {newClaim(annotated(nodeAnnotation, "k1")), now, "k2", ignore, ""},
		"another's class":               {newClaim(), foreign, "k2", ignore, ""},
		"not our turn yet":              {newClaim(annotated(provisionerAnnotation, "")), now, "k2", ignore, ""},
		"bound": {newClaim(selected, func(claim *corev1.PersistentVolumeClaim) {
			claim.Spec.VolumeName = "pvc-1"
		}), late, "k2", ignore, ""},
		"being deleted": {newClaim(selected, func(claim *corev1.PersistentVolumeClaim) {
			claim.DeletionTimestamp = &metav1.Time{}
		}), late, "k2", ignore, ""},
		"one pod alone": {newClaim(selected, modes(corev1.ReadWriteOncePod)), late, "k2", provide, ""},
		"many nodes": {newClaim(selected, modes(corev1.ReadWriteOnce, corev1.ReadWriteMany)), late, "k2", refuse,
			"ReadWriteMany is not possible"},
		"many nodes, elsewhere": {newClaim(selected, modes(corev1.ReadWriteMany)), late, "k1", ignore, ""},
		"a device": {newClaim(selected, func(claim *corev1.PersistentVolumeClaim) {
			mode := corev1.PersistentVolumeBlock
			claim.Spec.VolumeMode = &mode
		}), late, "k2", refuse, "volumeMode Block is not possible"},
		"a copy": {newClaim(selected, func(claim *corev1.PersistentVolumeClaim) {
			claim.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "other"}
		}), late, "k2", refuse, "dataSource is not possible"},
		"a selector": {newClaim(selected, func(claim *corev1.PersistentVolumeClaim) {
			claim.Spec.Selector = &metav1.LabelSelector{}
		}), late, "k2", refuse, "selector is not possible"},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(test.claim, test.class, test.self, nodes)
			if got.action != test.want || !strings.Contains(got.reason, test.says) {
				t.Errorf("got %v, want action %v with %q", got, test.want, test.says)
			}
		})
	}
}

func TestMayTake(t *testing.T) {
	cordoned := newNode("k3")
	cordoned.Spec.Unschedulable = true
	for name, test := range map[string]struct {
		nodes []*corev1.Node
		want  bool
	}{
		"open":                         {[]*corev1.Node{newNode("k1")}, true},
		"a mild taint":                 {[]*corev1.Node{newNode("k1", corev1.TaintEffectPreferNoSchedule), newNode("k2")}, true},
		"closed, and another is open":  {[]*corev1.Node{newNode("k1", corev1.TaintEffectNoExecute), newNode("k2")}, false},
		"closed, as all are":           {[]*corev1.Node{newNode("k1", corev1.TaintEffectNoSchedule), cordoned}, true},
		"not a node of the cluster":    {[]*corev1.Node{newNode("k2")}, false},
		"nothing is known of any node": {nil, false},
	} {
		if got := mayTake("k1", test.nodes); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestExpansion(t *testing.T) {
	claim := newClaim()
	volume, err := newVolume(claim, newClass(storagev1.VolumeBindingImmediate), newNode("k2"), "/v")
	if err != nil {
		t.Fatal(err)
	}
	if reason := expansion(claim, volume); reason != "" {
		t.Errorf("the size is as asked, but %q", reason)
	}
	claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("6Gi")
	if reason := expansion(claim, volume); !strings.Contains(reason, "from 5Gi to 6Gi") || !strings.Contains(reason, "node k2") {
		t.Errorf("%q does not say what is asked of which node", reason)
	}
}
