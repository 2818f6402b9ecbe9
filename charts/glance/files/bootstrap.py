"""Puts images into Glance that it has not by name, from where the values say: IMAGES, as JSON."""

import json
import os
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import openstack


def bring(cloud, image):
    name = image["name"]
    if cloud.image.find_image(name):
        print(f"{name} is there")
        return
    url = urllib.parse.urljoin(image["source_url"], image["image_file"])
    with tempfile.NamedTemporaryFile() as file:
        try:
            with urllib.request.urlopen(url, timeout=60) as source:
                while piece := source.read(1 << 20):
                    file.write(piece)
        except (urllib.error.URLError, TimeoutError) as error:
            sys.exit(f"{url} can not be fetched ({error}): correct bootstrap.structured.images, or set bootstrap.enabled to false")
        file.flush()
        properties = {key: str(value) for key, value in (image.get("properties") or {}).items()}
        cloud.create_image(
            name,
            filename=file.name,
            id=image.get("id"),
            disk_format=image["image_type"],
            container_format=image["container_format"],
            min_disk=image.get("min_disk") or 0,
            visibility="private" if image.get("private") else "public",
            wait=True,
            **properties,
        )
    print(f"{name} came from {url}")


def main():
    cloud = openstack.connect()
    for image in json.loads(os.environ["IMAGES"]).values():
        if image:
            bring(cloud, image)


main()
