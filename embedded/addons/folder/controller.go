package folder

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"

	"landfall.dev/embedded/addons/kubeclient"
)

// workers bound what goes on at once: a large folder that is being removed must not
// hold up the next claim.
const workers = 4

// work is a claim, or a volume where the namespace is empty.
type work struct{ namespace, name string }

type controller struct {
	node   string // our own
	dir    string // where folders of volumes are, by the same path here and on the node
	disk   *disk
	client kubernetes.Interface
	events events.EventRecorder
	log    *slog.Logger

	factory informers.SharedInformerFactory
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	nodes   corelisters.NodeLister
	classes storagelisters.StorageClassLister
	queue   workqueue.TypedRateLimitingInterface[work]
}

func newController(client kubernetes.Interface, recorder events.EventRecorder, log *slog.Logger, node, dir string, disk *disk) (*controller, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(kubeclient.Slim))
	c := &controller{
		node: node, dir: dir, disk: disk, client: client, events: recorder, log: log,
		factory: factory,
		claims:  factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumes: factory.Core().V1().PersistentVolumes().Lister(),
		nodes:   factory.Core().V1().Nodes().Lister(),
		classes: factory.Storage().V1().StorageClasses().Lister(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[work]()),
	}
	for informer, handle := range map[cache.SharedIndexInformer]func(any){
		factory.Core().V1().PersistentVolumeClaims().Informer(): c.enqueue,
		factory.Core().V1().PersistentVolumes().Informer():      c.enqueue,
		// A node that opens or closes changes who may take a claim.
		factory.Core().V1().Nodes().Informer(): func(any) { c.enqueueOpenClaims() },
	} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    handle,
			UpdateFunc: func(_, object any) { handle(object) },
			DeleteFunc: func(any) {},
		})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *controller) enqueue(object any) {
	if object, isObject := object.(metav1.Object); isObject {
		c.queue.Add(work{object.GetNamespace(), object.GetName()})
	}
}

func (c *controller) enqueueOpenClaims() {
	claims, err := c.claims.List(labels.Everything())
	if err != nil {
		return // a cache's list does not fail
	}
	for _, claim := range claims {
		if wanted(claim) {
			c.enqueue(claim)
		}
	}
}

// run works until the context ends, and returns when what was begun is done.
func (c *controller) run(ctx context.Context) error {
	c.factory.StartWithContext(ctx)
	defer c.factory.Shutdown()
	for kind, synced := range c.factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("%v could not be read: %w", kind, context.Cause(ctx))
		}
	}
	c.log.Info("minding volumes", "node", c.node, "dir", c.dir)

	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for c.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	c.queue.ShutDown()
	group.Wait()
	return nil
}

func (c *controller) next(ctx context.Context) bool {
	item, stopped := c.queue.Get()
	if stopped {
		return false
	}
	defer c.queue.Done(item)
	sync := c.syncClaim
	if item.namespace == "" {
		sync = c.syncVolume
	}
	err := sync(ctx, item)
	switch {
	case err == nil, apierrors.IsNotFound(err):
		c.queue.Forget(item)
	case apierrors.IsConflict(err): // our copy is old; the newer one is on its way
		c.queue.AddRateLimited(item)
	default:
		c.log.Error("tried again later", "namespace", item.namespace, "name", item.name, "error", err)
		c.queue.AddRateLimited(item)
	}
	return true
}

func (c *controller) syncClaim(ctx context.Context, item work) error {
	claim, err := c.claims.PersistentVolumeClaims(item.namespace).Get(item.name)
	if err != nil {
		return err
	}
	if claim.Spec.VolumeName != "" {
		c.checkSize(claim)
		return nil
	}
	if !wanted(claim) || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := c.classes.Get(*claim.Spec.StorageClassName)
	if apierrors.IsNotFound(err) {
		// The claim says that it is ours, so the class is about to be seen here too.
		return fmt.Errorf("StorageClass %s is not known yet", *claim.Spec.StorageClassName)
	} else if err != nil {
		return err
	}
	nodes, err := c.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	verdict := decide(claim, class, c.node, nodes)
	switch verdict.action {
	case take:
		return c.take(ctx, claim)
	case provide:
		own := slices.IndexFunc(nodes, func(node *corev1.Node) bool { return node.Name == c.node })
		if own < 0 {
			return fmt.Errorf("node %s is not known yet", c.node)
		}
		volume, err := newVolume(claim, class, nodes[own], c.dir)
		if err != nil {
			return c.failed(claim, err)
		}
		return c.provide(ctx, claim, volume)
	case refuse:
		c.log.Warn("claim refused", "namespace", claim.Namespace, "name", claim.Name, "reason", verdict.reason)
		c.events.Eventf(claim, nil, corev1.EventTypeWarning, "ProvisioningFailed", "Provision", "%s", verdict.reason)
	}
	return nil
}

// take puts our node's name on a claim. Every instance that may tries: the first
// update wins, and the others' fail because the claim has changed.
func (c *controller) take(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	taken := claim.DeepCopy()
	if taken.Annotations == nil {
		taken.Annotations = map[string]string{}
	}
	taken.Annotations[nodeAnnotation] = c.node
	_, err := c.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Update(ctx, taken, metav1.UpdateOptions{})
	return err
}

func (c *controller) provide(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) error {
	name, err := folderOf(volume, c.dir)
	if err != nil {
		return err
	}
	if err := c.disk.make(name); err != nil {
		return c.failed(claim, err)
	}
	_, err = c.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // made before, and only not seen bound yet
	} else if err != nil {
		return c.failed(claim, err)
	}
	c.log.Info("volume made", "namespace", claim.Namespace, "claim", claim.Name, "path", volume.Spec.Local.Path)
	c.events.Eventf(claim, volume, corev1.EventTypeNormal, "ProvisioningSucceeded", "Provision",
		"volume %s is a folder on node %s", volume.Name, c.node)
	return nil
}

// failed tells the claim about an error, and hands it on to be tried again.
func (c *controller) failed(claim *corev1.PersistentVolumeClaim, err error) error {
	c.events.Eventf(claim, nil, corev1.EventTypeWarning, "ProvisioningFailed", "Provision", "%s; it is tried again", err)
	return err
}

func (c *controller) checkSize(claim *corev1.PersistentVolumeClaim) {
	volume, err := c.volumes.Get(claim.Spec.VolumeName)
	if err != nil || !isOn(volume, c.node) {
		return
	}
	if reason := expansion(claim, volume); reason != "" {
		c.events.Eventf(claim, volume, corev1.EventTypeWarning, "VolumeResizeFailed", "Expand", "%s", reason)
	}
}

// syncVolume lets go of volumes that nothing uses. The intent comes first: a volume
// is marked as deleted, and only then its folder goes.
func (c *controller) syncVolume(ctx context.Context, item work) error {
	volume, err := c.volumes.Get(item.name)
	if err != nil {
		return err
	}
	if !isOn(volume, c.node) || !isHeld(volume) || volume.Status.Phase == corev1.VolumeBound {
		return nil
	}
	if volume.DeletionTimestamp == nil {
		if !isFree(volume) || !goesWithClaim(volume) {
			return nil
		}
		return c.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name,
			metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(volume.UID))})
	}
	if goesWithClaim(volume) {
		if err := c.removeFolder(volume); err != nil {
			c.events.Eventf(volume, nil, corev1.EventTypeWarning, "VolumeFailedDelete", "Delete", "%s; it is tried again", err)
			return err
		}
	}
	released := volume.DeepCopy()
	released.Finalizers = slices.DeleteFunc(released.Finalizers, func(name string) bool { return name == finalizer })
	_, err = c.client.CoreV1().PersistentVolumes().Update(ctx, released, metav1.UpdateOptions{})
	return err
}

func (c *controller) removeFolder(volume *corev1.PersistentVolume) error {
	name, err := folderOf(volume, c.dir)
	if err != nil {
		return err
	}
	removed, err := c.disk.remove(name)
	if removed {
		c.log.Info("folder removed", "volume", volume.Name, "path", volume.Spec.Local.Path)
	}
	return err
}
