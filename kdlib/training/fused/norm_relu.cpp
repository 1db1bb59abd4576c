// Batch norm in training, an optional shortcut and a ReLU in one, and their gradients.
//
// Tensors are float [rows, channels], which is how images in channels last lie in memory; channels
// are a multiple of 16. Each is read twice: once for sums over the rows, once for the answer. The
// second time goes backwards, since what was read last is still in the cache. A thread takes one
// run of rows, so that results depend on the number of threads and on nothing else. Sums are of
// float within a block of rows and of double over blocks.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace {

constexpr int64_t LANES = 16, BLOCK = 256;
typedef float Lane __attribute__((vector_size(64)));

inline Lane load(const float* from) {
  Lane value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void store(float* to, Lane value) { std::memcpy(to, &value, sizeof value); }

// Written so that a NaN passes, as it does in torch: a training that diverged must show it.
inline Lane where_positive(Lane condition, Lane value) {
  return condition <= 0 ? Lane{} : value;
}

struct Rows {
  int64_t first, last;
};

// What a thread works on: its rows of TILE * 16 of the channels.
template <int TILE>
struct Tile {
  Lane lane[TILE] = {};
  Tile() {}
  explicit Tile(const float* from) {
    for (int k = 0; k < TILE; ++k) lane[k] = load(from + k * LANES);
  }
  void add_to(double* sums) const {
    for (int k = 0; k < TILE; ++k)
      for (int i = 0; i < LANES; ++i) sums[k * LANES + i] += lane[k][i];
  }
};

// Calls action(place) for each row and each 16 channels of a tile; after a block, done().
template <int TILE, class Action, class Done>
void each(Rows rows, int64_t channels, bool backwards, Action action, Done done) {
  const int64_t blocks = (rows.last - rows.first + BLOCK - 1) / BLOCK;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t first = rows.first + (backwards ? blocks - 1 - i : i) * BLOCK;
    const int64_t last = std::min(first + BLOCK, rows.last);
    for (int64_t row = first; row < last; ++row)
      for (int k = 0; k < TILE; ++k) action(row * channels + k * LANES, k);
    done();
  }
}

struct Sums {
  std::vector<double> first, second;
};

template <int TILE>
void input_sums(const float* x, const float* shift, Rows rows, int64_t channels, double* sum,
                double* squares) {
  const Tile<TILE> around(shift);
  Tile<TILE> one, two;
  each<TILE>(
      rows, channels, false,
      [&](int64_t at, int k) {
        const Lane d = load(x + at) - around.lane[k];
        one.lane[k] += d;
        two.lane[k] += d * d;
      },
      [&] {
        one.add_to(sum), two.add_to(squares);
        one = Tile<TILE>(), two = Tile<TILE>();
      });
}

template <int TILE, bool SHORTCUT>
void answer(const float* x, const float* shortcut, const float* scale, const float* offset,
            Rows rows, int64_t channels, float* y) {
  const Tile<TILE> a(scale), b(offset);
  each<TILE>(
      rows, channels, true,
      [&](int64_t at, int k) {
        Lane value = load(x + at) * a.lane[k] + b.lane[k];
        if (SHORTCUT) value += load(shortcut + at);
        store(y + at, where_positive(value, value));
      },
      [] {});
}

// With a shortcut the answer y says where the gradient passes; without one, x does.
template <int TILE, bool SHORTCUT>
void gradient_sums(const float* g, const float* y, const float* x, const float* mean,
                   const float* scale, const float* offset, Rows rows, int64_t channels,
                   float* passed, double* sum, double* products) {
  const Tile<TILE> m(mean), a(scale), b(offset);
  Tile<TILE> one, two;
  each<TILE>(
      rows, channels, false,
      [&](int64_t at, int k) {
        const Lane input = load(x + at);
        const Lane sign = SHORTCUT ? load(y + at) : input * a.lane[k] + b.lane[k];
        const Lane value = where_positive(sign, load(g + at));
        if (SHORTCUT) store(passed + at, value);
        one.lane[k] += value;
        two.lane[k] += value * (input - m.lane[k]);
      },
      [&] {
        one.add_to(sum), two.add_to(products);
        one = Tile<TILE>(), two = Tile<TILE>();
      });
}

template <int TILE, bool SHORTCUT>
void gradient(const float* g, const float* x, const float* scale, const float* offset,
              const float* slope, const float* rest, Rows rows, int64_t channels, float* of_x) {
  const Tile<TILE> a(scale), b(offset), c(slope), d(rest);
  each<TILE>(
      rows, channels, true,
      [&](int64_t at, int k) {
        const Lane input = load(x + at);
        Lane value = load(g + at);
        if (!SHORTCUT) value = where_positive(input * a.lane[k] + b.lane[k], value);
        store(of_x + at, a.lane[k] * value + c.lane[k] * input + d.lane[k]);
      },
      [] {});
}

template <class Action>
void in_tiles(int64_t channels, Action action) {
  const int64_t lanes = channels % 64 == 0 ? 64 : channels % 32 == 0 ? 32 : 16;
  for (int64_t c = 0; c < channels; c += lanes) {
    if (lanes == 64) action(std::integral_constant<int, 4>(), c);
    if (lanes == 32) action(std::integral_constant<int, 2>(), c);
    if (lanes == 16) action(std::integral_constant<int, 1>(), c);
  }
}

// Calls action(tile, first channel, rows, thread) for all rows and channels.
template <class Action>
void in_threads(int64_t rows, int64_t channels, int threads, Action action) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t) {
    const Rows mine{rows * t / threads, rows * (t + 1) / threads};
    in_tiles(channels, [&](auto tile, int64_t c) { action(tile, c, mine, t); });
  }
}

// Two sums a channel over all rows; action adds those of its rows to the two places it is given.
template <class Action>
Sums summed(int64_t rows, int64_t channels, int threads, Action action) {
  std::vector<double> one(threads * channels), two(threads * channels);
  in_threads(rows, channels, threads, [&](auto tile, int64_t c, Rows mine, int t) {
    action(tile, c, mine, &one[t * channels + c], &two[t * channels + c]);
  });
  Sums all{std::vector<double>(channels), std::vector<double>(channels)};
  for (int t = 0; t < threads; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      all.first[c] += one[t * channels + c];
      all.second[c] += two[t * channels + c];
    }
  return all;
}

}  // namespace

extern "C" {

// saved: [4, channels], what the gradient needs: mean, 1 / deviation, scale, offset.
void norm_relu(const float* x, const float* shortcut, const float* weight, const float* bias,
               float* running_mean, float* running_var, double momentum, double eps, int64_t rows,
               int64_t channels, int threads, float* y, float* saved) {
  float *mean = saved, *inverse = saved + channels;
  float *scale = saved + 2 * channels, *offset = saved + 3 * channels;
  // Around a value of x, so that a large mean costs no digits of the variance.
  const auto add = [&](auto tile, int64_t c, Rows mine, double* one, double* two) {
    input_sums<tile.value>(x + c, x + c, mine, channels, one, two);
  };
  const Sums sums = summed(rows, channels, threads, add);
  for (int64_t c = 0; c < channels; ++c) {
    const double shifted = sums.first[c] / rows, m = x[c] + shifted;
    const double variance = std::max(sums.second[c] / rows - shifted * shifted, 0.0);
    const double one_by = 1 / std::sqrt(variance + eps);
    mean[c] = m, inverse[c] = one_by;
    scale[c] = weight[c] * one_by, offset[c] = bias[c] - m * weight[c] * one_by;
    running_mean[c] += momentum * (m - running_mean[c]);
    running_var[c] += momentum * (variance * rows / (rows - 1) - running_var[c]);
  }
  in_threads(rows, channels, threads, [&](auto tile, int64_t c, Rows mine, int) {
    if (shortcut)
      answer<tile.value, true>(x + c, shortcut + c, scale + c, offset + c, mine, channels, y + c);
    else
      answer<tile.value, false>(x + c, x + c, scale + c, offset + c, mine, channels, y + c);
  });
}

// passed: of the shortcut, or null where there is none. of_x may be x.
void norm_relu_gradient(const float* g, const float* y, const float* x, const float* saved,
                        int64_t rows, int64_t channels, int threads, float* passed, float* of_x,
                        float* of_weight, float* of_bias) {
  const float *mean = saved, *inverse = saved + channels;
  const float *scale = saved + 2 * channels, *offset = saved + 3 * channels;
  const auto add = [&](auto tile, int64_t c, Rows mine, double* one, double* two) {
    if (passed)
      gradient_sums<tile.value, true>(g + c, y + c, x + c, mean + c, scale + c, offset + c, mine,
                                      channels, passed + c, one, two);
    else
      gradient_sums<tile.value, false>(g + c, x + c, x + c, mean + c, scale + c, offset + c, mine,
                                       channels, nullptr, one, two);
  };
  const Sums sums = summed(rows, channels, threads, add);
  std::vector<float> slope(channels), rest(channels);
  for (int64_t c = 0; c < channels; ++c) {
    const double product = sums.second[c] * inverse[c];
    of_weight[c] = product, of_bias[c] = sums.first[c];
    const double k = -scale[c] * inverse[c] * product / rows;
    slope[c] = k, rest[c] = -scale[c] * sums.first[c] / rows - k * mean[c];
  }
  in_threads(rows, channels, threads, [&](auto tile, int64_t c, Rows mine, int) {
    if (passed)
      gradient<tile.value, true>(passed + c, x + c, scale + c, offset + c, &slope[c], &rest[c],
                                 mine, channels, of_x + c);
    else
      gradient<tile.value, false>(g + c, x + c, scale + c, offset + c, &slope[c], &rest[c], mine,
                                  channels, of_x + c);
  });
}
}
