"""Drawn persons with detailed outlines, and copies of them with less detail."""

import cv2
import numpy as np


def figure(height: int, seed: int) -> np.ndarray:
    """Return a mask of a round figure with bumps of several sizes, as high as its frame."""
    random = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 2400, endpoint=False)
    radius = np.ones_like(angles)
    for waves, size in ((2, 0.3), (5, 0.12), (11, 0.06), (23, 0.035), (37, 0.02)):
        radius += size * np.sin(waves * angles + random.uniform(0, 2 * np.pi))
    points = np.stack([np.cos(angles), 1.2 * np.sin(angles)], 1) * radius[:, None]
    points *= 0.46 * height / np.abs(points).max()
    scaled = np.rint((points + height / 2) * 256).astype(np.int32)
    mask = np.zeros((height, height), np.uint8)
    cv2.fillPoly(mask, [scaled], 1, shift=8)
    return mask


def image_of(mask: np.ndarray) -> np.ndarray:
    """Return an image in which the person of a mask is bright."""
    return np.where(mask[:, :, None] == 1, np.uint8(200), np.uint8(60)).repeat(3, axis=2)


def blurred(mask: np.ndarray, sigma: float) -> np.ndarray:
    """Return a mask whose outline is smoothed over some pixels."""
    soft = cv2.GaussianBlur((mask == 1).astype(np.float32), (0, 0), sigma)
    return (soft > 0.5).astype(np.uint8)


def polygon(mask: np.ndarray, corners: int) -> np.ndarray:
    """Return a mask whose parts are polygons of at most this number of corners, without holes."""
    coarse = np.zeros(mask.shape, np.uint8)
    person = np.ascontiguousarray(mask == 1).view(np.uint8)
    for outline in cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        low, high, found = 0.5, float(max(mask.shape)), outline
        while len(outline) > corners and high - low > 0.05:
            middle = (low + high) / 2
            simpler = cv2.approxPolyDP(outline, middle, closed=True)
            if len(simpler) > corners:
                low = middle
            else:
                high, found = middle, simpler
        cv2.fillPoly(coarse, [found], 1)
    return coarse
