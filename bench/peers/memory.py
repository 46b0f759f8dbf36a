#!/usr/bin/env python3
"""What a training step of the perceptron takes at its peak beyond weights, inputs and gradients kept
from the step before, in bytes: torch as its allocator counts; TensorFlow has no such count for CPUs.
Ours is `memory/mlp_training_step` of bench_conditions.

usage: memory.py [BATCH]     with the packages of requirements.txt
"""

import sys

import data as shared


def torch_peak(batch):
    import torch
    import torch_peer
    step = torch_peer.Peer(1, shared.make()).mlp_train(batch)["eager"]
    for _ in range(3):
        step()
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        step()
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def tensorflow_peak(batch):
    import tensorflow_peer
    tf = tensorflow_peer.tf
    step = tensorflow_peer.Peer(1, shared.make()).mlp_train(batch)["graph"]
    step()
    try:
        tf.config.experimental.reset_memory_stats("CPU:0")
        before = tf.config.experimental.get_memory_info("CPU:0")["current"]
        step()
        return tf.config.experimental.get_memory_info("CPU:0")["peak"] - before
    except (ValueError, tf.errors.OpError) as error:
        return f"not told: {str(error).splitlines()[0]}"


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("torch     ", torch_peak(batch))
    print("tensorflow", tensorflow_peak(batch))


if __name__ == "__main__":
    main()
