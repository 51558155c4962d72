"""Training of the lifter (`resihmr.lifter`): a small network learned from synthetic people made on the fly."""

import copy
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from limbstudio.body.model import load_body
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole
from limbstudio.resihmr.lifter import N_BONES, N_INPUTS, N_PER_GAUSSIAN, TRIANGLE, UNIT_M
from limbstudio.resihmr.pose_prior import read_motion
from limbstudio.resihmr.problem import fit_model
from limbstudio.training.lifter_people import VIEWS, Crowd, CrowdMaker

Report = Callable[[float, str], None]

WIDTH, BLOCKS, GAUSSIANS = 512, 2, 8
# People per step, and the optimiser's numbers: our choices.
BATCH = 1024
RATE, WARM_UP_STEPS, LAST_RATE = 1.5e-3, 300, 1e-6
WEIGHT_DECAY, MOST_GRADIENT = 0.01, 20.0
# The network that is kept is the running mean of the trained one's numbers over about so many steps.
MEAN_STEPS = 500
JUDGE_BODIES, JUDGE_SEED = 2000, 99
REPORT_STEPS = 50


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.two(torch.relu(self.one(self.norm(h))))


class LifterNet(nn.Module):
    """The network in torch; its numbers, by their names here, are what `resihmr.lifter.load` reads."""

    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS, gaussians: int = GAUSSIANS) -> None:
        super().__init__()
        self.gaussians = gaussians
        self.first = nn.Linear(N_INPUTS, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, gaussians * N_PER_GAUSSIAN)
        with torch.no_grad():  # wide Gaussians to begin with, and means that differ
            self.last.weight *= 0.1
            bias = 0.05 * torch.randn(gaussians, N_PER_GAUSSIAN)
            bias[:, 1 : 1 + N_BONES] *= 10
            self.last.bias.copy_(bias.reshape(-1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the last layer's numbers, (N, K, N_PER_GAUSSIAN)."""
        h = self.first(inputs)
        for block in self.blocks:
            h = block(h)
        return self.last(torch.relu(self.norm(h))).reshape(len(h), self.gaussians, N_PER_GAUSSIAN)


def log_likelihood(answer: Tensor, depths: Tensor) -> Tensor:
    """Return the log density (N,) of depths (N, 13), metres, under answers (N, K, N_PER_GAUSSIAN)."""
    b = N_BONES
    log_weights = torch.log_softmax(answer[..., 0], 1)
    gap = depths[:, None] / UNIT_M - answer[..., 1 : 1 + b]
    log_diagonal = answer[..., 1 + b : 1 + 2 * b]
    factor = answer.new_zeros((*answer.shape[:2], b, b))
    factor[..., TRIANGLE[0], TRIANGLE[1]] = answer[..., 1 + 2 * b :]
    sigmas = (gap[..., None, :] @ factor)[..., 0, :] + gap * log_diagonal.exp()
    log = log_diagonal.sum(2) - 0.5 * (sigmas * sigmas).sum(2)
    return torch.logsumexp(log_weights + log, 1) - b * (0.5 * math.log(2 * math.pi) + math.log(UNIT_M))


def mean_depths(answer: Tensor) -> Tensor:
    """Return the mean of the mixture, (N, 13) metres."""
    weights = torch.softmax(answer[..., 0], 1)
    return UNIT_M * (weights[..., None] * answer[..., 1 : 1 + N_BONES]).sum(1)


@dataclass(frozen=True)
class LifterReport:
    """How well the lifter guesses poses it has not seen: mean log density, and mean error of its mean, mm."""

    training_poses: int
    held_out_poses: int
    nats: float
    depth_error_mm: float
    seconds: float

    @property
    def text(self) -> str:
        return (
            f"Learned from {self.training_poses:,} poses and their mirror images in {self.seconds:.0f} s.\n"
            f"On people in {self.held_out_poses:,} held-out poses: mean log density of 13 depths {self.nats:.2f} nats, "
            f"mean error of one {self.depth_error_mm:.1f} mm."
        )


def learn_lifter(
    poses: Path,
    out: Path,
    *,
    steps: int,
    seed: int = 0,
    rate: float = RATE,
    start: Path | None = None,
    report: Report = lambda fraction, sentence: None,
) -> LifterReport:
    """Learn the lifter from a poses file's training split, judge it on the other, and write it to `out` (.npz).

    start: a lifter to go on from. The same seed and number of processor threads give the same numbers.
    """
    if steps < 1:
        raise KnownError(f"{steps} steps teach nothing.", "Ask for at least one.")
    began = time.monotonic()
    torch.manual_seed(seed)
    net = LifterNet() if start is None else _read_net(start)
    skeleton = fit_model(load_body()).skeleton
    training, held_out = read_motion(poses, validation=False), read_motion(poses, validation=True)
    maker = CrowdMaker(skeleton, *training)
    net = train(net, maker, steps=steps, rate=rate, rng=np.random.default_rng(seed), report=report)
    judge = CrowdMaker(skeleton, *held_out, vary=False).crowd(JUDGE_BODIES, np.random.default_rng(JUDGE_SEED))
    nats, error = judged(net, judge)
    write_net(net, out)
    return LifterReport(len(training[0]), len(held_out[0]), nats, error, time.monotonic() - began)


def train(
    net: LifterNet,
    maker: CrowdMaker,
    *,
    steps: int,
    rate: float,
    rng: np.random.Generator,
    report: Report = lambda fraction, sentence: None,
) -> LifterNet:
    """Train `net` by `steps` steps of AdamW at a falling rate; return the running mean of its numbers."""
    mean_net = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    loss_sum = 0.0
    for step in range(steps):
        fall = 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS) * fall + LAST_RATE
        inputs, depths = as_tensors(maker.crowd(BATCH // VIEWS, rng))
        loss = -log_likelihood(net(inputs), depths).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), MOST_GRADIENT)
        optimiser.step()
        with torch.no_grad():
            new = 1 / min(MEAN_STEPS, 1 + 0.1 * (step + 1))
            for mean, now in zip(mean_net.parameters(), net.parameters(), strict=True):
                mean.lerp_(now, new)
        loss_sum += loss.item()
        if (step + 1) % REPORT_STEPS == 0:
            report((step + 1) / steps, f"Step {step + 1}: {-loss_sum / REPORT_STEPS:.2f} nats")
            loss_sum = 0.0
    return mean_net


def as_tensors(crowd: Crowd) -> tuple[Tensor, Tensor]:
    """Return a crowd's inputs and depths in single precision."""
    return torch.from_numpy(crowd.sight.inputs).float(), torch.from_numpy(crowd.depths).float()


def judged(net: LifterNet, crowd: Crowd) -> tuple[float, float]:
    """Return the mean log density of a crowd's depths, and the mean error of the guesses' means, mm."""
    inputs, depths = as_tensors(crowd)
    with torch.no_grad():
        answer = net(inputs)
        error = (mean_depths(answer) - depths).abs().mean()
        return float(log_likelihood(answer, depths).mean()), 1000 * float(error)


def write_net(net: LifterNet, path: Path) -> None:
    """Write the network's numbers in half precision as an .npz without pickled objects."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value.numpy().astype(np.float16) for name, value in net.state_dict().items()})
    write_whole(path, buffer.getvalue())


def _read_net(path: Path) -> LifterNet:
    try:
        with np.load(path, allow_pickle=False) as data:
            numbers = {name: torch.from_numpy(data[name].astype(np.float32)) for name in data.files}
        net = LifterNet()
        net.load_state_dict(numbers)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise KnownError(
            f"{path} could not be read as a lifter.", "Give a file that `limbstudio train lifter` wrote."
        ) from error
    return net
