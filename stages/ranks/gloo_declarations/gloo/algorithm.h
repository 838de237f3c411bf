// Gloo is inside LibTorch, its headers are not: what c10d's header needs declared of each of them.
#pragma once
