/// Everything of Weir but <weir/autocast.h>, <weir/profiler.h>, <weir/onnx.h> and the op-writing
/// interface (<weir/op_def.h>, <weir/kernel.h>).
#pragma once

#include <weir/checkpoint.h>
#include <weir/control_flow.h>
#include <weir/device.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/graph.h>
#include <weir/graph_def.h>
#include <weir/keras.h>
#include <weir/linalg.h>
#include <weir/name_scope.h>
#include <weir/nn.h>
#include <weir/npy.h>
#include <weir/operators.h>
#include <weir/ops.h>
#include <weir/random.h>
#include <weir/saved_model.h>
#include <weir/summary.h>
#include <weir/tensor.h>
#include <weir/timeit.h>
#include <weir/variable.h>
#include <weir/version.h>
