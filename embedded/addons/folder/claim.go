// Package folder makes persistent volumes of folders on the disk of a node.
//
// One instance runs on each node and minds only the volumes of its own: decisions are
// pure (claim.go, volume.go), the disk is touched in one place (disk.go), and the
// controller carries out (controller.go).
package folder

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// Provisioner is the name that a StorageClass asks for.
const Provisioner = "landfall.dev/folder"

const (
	// provisionerAnnotation is set on a claim once its time to be provisioned has come.
	provisionerAnnotation = "volume.kubernetes.io/storage-provisioner"
	// selectedNodeAnnotation is the scheduler's choice, where binding waits for a pod.
	selectedNodeAnnotation = "volume.kubernetes.io/selected-node"
	// nodeAnnotation is the node that a claim bound at once, or a volume, belongs to.
	nodeAnnotation = "landfall.dev/node"
)

type action int

const (
	ignore  action = iota
	take           // nobody's yet, and this node may have it
	provide        // this node's: make its volume
	refuse         // this node's, and it asks for what a folder cannot give
)

// verdict is what an instance does about a claim; a refusal says why, and what to do.
type verdict struct {
	action action
	reason string
}

// decide is for a claim of a class of ours. Among the nodes is the instance's own.
func decide(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, self string, nodes []*corev1.Node) verdict {
	if !wanted(claim) || class.Provisioner != Provisioner {
		return verdict{}
	}
	node := claim.Annotations[selectedNodeAnnotation]
	if node == "" {
		if waits(class) {
			return verdict{}
		}
		node = claim.Annotations[nodeAnnotation]
	}
	switch {
	case node == "" && mayTake(self, nodes):
		return verdict{action: take}
	case node != self:
		return verdict{}
	}
	if reason := obstacle(claim, self); reason != "" {
		return verdict{refuse, reason}
	}
	return verdict{action: provide}
}

// wanted tells whether a claim has no volume and is to get one from us now.
func wanted(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Annotations[provisionerAnnotation] == Provisioner &&
		claim.DeletionTimestamp == nil &&
		claim.Spec.VolumeName == "" &&
		(claim.Status.Phase == corev1.ClaimPending || claim.Status.Phase == "")
}

func waits(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// mayTake tells whether a volume that is bound before its pod is known may go to this
// node: its pods must be able to follow it there, or no node is better.
func mayTake(self string, nodes []*corev1.Node) bool {
	own := slices.IndexFunc(nodes, func(node *corev1.Node) bool { return node.Name == self })
	return own >= 0 && (open(nodes[own]) || !slices.ContainsFunc(nodes, open))
}

// open tells whether a node takes ordinary pods.
func open(node *corev1.Node) bool {
	if node.Spec.Unschedulable || node.DeletionTimestamp != nil {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	return true
}

// obstacle says what a folder cannot give, and what to ask for instead.
func obstacle(claim *corev1.PersistentVolumeClaim, node string) string {
	for _, mode := range claim.Spec.AccessModes {
		if mode != corev1.ReadWriteOnce && mode != corev1.ReadWriteOncePod {
			return fmt.Sprintf("access mode %s is not possible: the volume is a folder of one node (%s). "+
				"Ask for ReadWriteOnce, or for a StorageClass of shared storage such as CephFS", mode, node)
		}
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == corev1.PersistentVolumeBlock {
		return "volumeMode Block is not possible: the volume is a folder, not a device. " +
			"Ask for volumeMode Filesystem, or for a StorageClass of block devices such as Ceph RBD"
	}
	if claim.Spec.DataSource != nil || claim.Spec.DataSourceRef != nil {
		return "dataSource is not possible: a folder is always new. Leave it out, and copy the data in by a Job"
	}
	if claim.Spec.Selector != nil {
		return "selector is not possible: it chooses among volumes that exist. Leave it out, or name a StorageClass without a provisioner"
	}
	return ""
}

// expansion says why a claim does not get the size that it asks for, where it asks
// for more than its volume has.
func expansion(claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) string {
	asked, has := claim.Spec.Resources.Requests[corev1.ResourceStorage], volume.Spec.Capacity[corev1.ResourceStorage]
	if asked.Cmp(has) <= 0 {
		return ""
	}
	return fmt.Sprintf("volume %s is not expanded from %s to %s: it is a folder, whose size is only a word. "+
		"It can use all the free space of the disk of node %s already; nothing is to be done",
		volume.Name, has.String(), asked.String(), volume.Annotations[nodeAnnotation])
}
