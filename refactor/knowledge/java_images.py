"""For an image with a JDK: the one of the same vendor, version and system that only runs.

Sources: the tag lists and Dockerfiles of docker-library/official-images (eclipse-temurin, maven,
gradle, openjdk, amazoncorretto, ibm-semeru-runtimes, adoptopenjdk), hub.docker.com/u/bellsoft,
hub.docker.com/r/azul/zulu-openjdk. openjdk has `-jre` tags up to 11 only, amazoncorretto none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dockerfix.knowledge.base_images import official_name
from dockerfix.patterns import pattern
from dockerfix.syntax.image_name import read_image

_PLAIN = pattern(r"(\d[\w.]*)(-(?:alpine|jammy|noble|focal|slim|ubi\d+-minimal)[\w.]*)?")
_MAVEN = pattern(
    r"[\d.]+-(eclipse-temurin|openjdk|jdk|amazoncorretto)-(\d+)(-(?:alpine|jammy|noble|focal"
    r"|slim|al2023|debian)[\w.]*)?"
)
_GRADLE = pattern(r"(?:(\d+)[\d.]*-)?jdk-?(\d+)(-(?:alpine|jammy|noble|focal))?")
_LIBERICA = pattern(r"((?:docker\.io/)?bellsoft/liberica-open)jdk(-\w+)?")
_ZULU = pattern(r"(?:docker\.io/)?azul/zulu-openjdk(?:-alpine|-debian)?")
#: The last version of openjdk with images that hold a JRE alone.
_LAST_OPENJDK_JRE = 11
#: Before, images of gradle ran as the user of that name.
_FIRST_GRADLE_AS_ROOT = 5
_FIRST_JDK_AFTER_THAT = 14


def java_runtime(image: str) -> str | None:
    """The image to run on; the JDK without the build tool where there is no smaller one.

    None: not known.
    """
    found = read_image(image)
    if "@" in image or "windows" in found.tag or "nano" in found.tag:
        return None
    name = official_name(found.repository)
    rule = _RULES.get(name or "")
    if rule is not None:
        return rule(image.rpartition(":")[0] if found.tag else image, found.tag)
    liberica = _LIBERICA.fullmatch(found.repository)
    if liberica:
        return f"{liberica[1]}jre{liberica[2] or ''}:{found.tag}"
    if _ZULU.fullmatch(found.repository) and found.tag.isdigit():
        return f"{image}-jre"
    return None


def _temurin(name: str, tag: str) -> str | None:
    if "jre" in tag:
        return f"{name}:{tag}"
    if "jdk" in tag:
        return f"{name}:{tag.replace('jdk', 'jre', 1)}"
    match = _PLAIN.fullmatch(tag)
    return f"{name}:{match[1]}-jre{match[2] or ''}" if match else None


def _same_name(name: str, tag: str) -> str | None:
    return f"{name}:{tag.replace('jdk', 'jre', 1)}" if "jdk" in tag else None


def _openjdk(name: str, tag: str) -> str | None:
    major = re.match(r"\d+", tag)
    if major is None:
        return None
    if int(major[0]) > _LAST_OPENJDK_JRE or "jre" in tag:
        return f"{name}:{tag}"
    return _temurin(name, tag)


def _maven(name: str, tag: str) -> str | None:
    match = _MAVEN.fullmatch(tag)
    if match is None:
        return None
    vendor, major, system = match[1], match[2], match[3] or ""
    if vendor == "jdk":
        vendor = "openjdk"
    return _RULES[vendor](vendor, f"{major}{system}")


def _gradle(name: str, tag: str) -> str | None:
    match = _GRADLE.fullmatch(tag)
    if match is None:
        return None
    version, major = int(match[1] or _FIRST_GRADLE_AS_ROOT), int(match[2])
    if version < _FIRST_GRADLE_AS_ROOT and major < _FIRST_JDK_AFTER_THAT:
        return None
    return f"eclipse-temurin:{major}-jre{match[3] or ''}"


def _itself(name: str, tag: str) -> str | None:
    return f"{name}:{tag}"


_RULES: dict[str, Callable[[str, str], str | None]] = {
    "eclipse-temurin": _temurin,
    "adoptopenjdk": _same_name,
    "ibm-semeru-runtimes": _same_name,
    "java": _temurin,
    "openjdk": _openjdk,
    "maven": _maven,
    "gradle": _gradle,
    "amazoncorretto": _itself,
}
