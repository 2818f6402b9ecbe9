package folder

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	provisionedByAnnotation = "pv.kubernetes.io/provisioned-by"
	// finalizer keeps a volume until its folder has been dealt with: without it, one
	// that is deleted while its claim still exists would leave its folder behind.
	finalizer = "landfall.dev/folder"
	// nameLimit is how long a name a file system takes.
	nameLimit = 255
)

// folderName is namespace, name and uid of a claim: the first two for who looks into
// the disk, the last to be unique.
func folderName(claim *corev1.PersistentVolumeClaim) string {
	tail := "-" + string(claim.UID)
	head := claim.Namespace + "-" + claim.Name
	if limit := nameLimit - len(tail); len(head) > limit {
		head = head[:limit]
	}
	return head + tail
}

// newVolume describes the volume for a claim. It is of the kind `local`, not
// `hostPath`: the kubelet gives a local volume to a pod's fsGroup, a hostPath never.
func newVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, node *corev1.Node, dir string) (*corev1.PersistentVolume, error) {
	hostname := node.Labels[corev1.LabelHostname]
	if hostname == "" {
		return nil, fmt.Errorf("node %s has no label %s, by which pods could follow the volume", node.Name, corev1.LabelHostname)
	}
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	mode := corev1.PersistentVolumeFilesystem
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        "pvc-" + string(claim.UID),
			Annotations: map[string]string{provisionedByAnnotation: Provisioner, nodeAnnotation: node.Name},
			Finalizers:  []string{finalizer},
		},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			MountOptions:                  class.MountOptions,
			PersistentVolumeReclaimPolicy: reclaim,
			StorageClassName:              class.Name,
			VolumeMode:                    &mode,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: filepath.Join(dir, folderName(claim))},
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion:      "v1",
				Kind:            "PersistentVolumeClaim",
				Namespace:       claim.Namespace,
				Name:            claim.Name,
				UID:             claim.UID,
				ResourceVersion: claim.ResourceVersion,
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key:      corev1.LabelHostname,
						Operator: corev1.NodeSelectorOpIn,
						Values:   []string{hostname},
					}},
				}},
			}},
		},
	}, nil
}

// isOn tells whether a volume is a folder that we made on a node.
func isOn(volume *corev1.PersistentVolume, node string) bool {
	return volume.Annotations[provisionedByAnnotation] == Provisioner &&
		volume.Annotations[nodeAnnotation] == node &&
		volume.Spec.Local != nil
}

// isFree tells whether nothing uses a volume any more, though something did.
func isFree(volume *corev1.PersistentVolume) bool {
	return volume.Status.Phase == corev1.VolumeReleased || volume.Status.Phase == corev1.VolumeFailed
}

func isHeld(volume *corev1.PersistentVolume) bool {
	return slices.Contains(volume.Finalizers, finalizer)
}

func goesWithClaim(volume *corev1.PersistentVolume) bool {
	return volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
}

// folderOf is the name of a volume's folder. A path that is not right below the
// folder of volumes is none of ours, whatever annotations it came with.
func folderOf(volume *corev1.PersistentVolume, dir string) (string, error) {
	path := volume.Spec.Local.Path
	name, below := strings.CutPrefix(path, strings.TrimRight(dir, "/")+"/")
	if !below || name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return "", fmt.Errorf("volume %s is not removed: its path %q is not right below %s", volume.Name, path, dir)
	}
	return name, nil
}
