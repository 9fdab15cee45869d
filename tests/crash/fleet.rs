//! The processes under test, and who kills them.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

use super::plan::{Kill, Moment};

/// How long a start may take.
const START_MAX: Duration = Duration::from_mins(2);

/// Where one instance serves.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub sonata: SocketAddr,
    pub admin: SocketAddr,
    pub internal: SocketAddr,
}

#[derive(Default)]
struct Instance {
    child: Option<Child>,
    at: Option<Addresses>,
}

#[derive(Default)]
struct State {
    instances: Vec<Instance>,
    armed: Option<(Kill, u32)>,
    /// Which of the serving ones is asked next.
    next: usize,
    kills: usize,
}

/// The instances; cheap to clone.
#[derive(Clone)]
pub struct Fleet {
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
    config: Arc<PathBuf>,
}

impl Drop for State {
    fn drop(&mut self) {
        for child in self.instances.iter_mut().filter_map(|one| one.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Fleet {
    /// So many instances of a configuration, none of which runs yet.
    pub fn new(config: PathBuf, instances: usize) -> Self {
        let instances = (0..instances).map(|_| Instance::default()).collect();
        let state = State { instances, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), killed: Arc::default(), config: Arc::new(config) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an instance and waits until it serves; `false` where it was killed meanwhile.
    ///
    /// # Panics
    /// It ended by itself, or does not begin to serve.
    pub async fn start(&self, instance: usize) -> bool {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segue"))
            .arg("--config")
            .arg(self.config.as_path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        self.lock().instances[instance].child = Some(child);
        self.hit(Moment::Began);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut last = Vec::new();
            for line in lines.map_while(Result::ok) {
                let read: Value = serde_json::from_str(&line).unwrap_or_default();
                if read["message"] == "serving" {
                    let address = |name: &str| read[name].as_str().unwrap().parse().unwrap();
                    let at = Addresses {
                        sonata: address("sonata"),
                        admin: address("admin"),
                        internal: address("internal"),
                    };
                    let _ = tell.send(Ok(at));
                }
                if read["level"] == "ERROR" {
                    println!("an instance says: {line}");
                }
                last.push(line);
                if last.len() > 20 {
                    last.remove(0);
                }
            }
            let _ = tell.send(Err(last));
        });
        let said = tokio::task::spawn_blocking(move || told.recv_timeout(START_MAX)).await.unwrap();
        let mut state = self.lock();
        let one = &mut state.instances[instance];
        match said {
            Ok(Ok(at)) if one.child.is_some() => one.at = Some(at),
            Ok(Err(last)) if one.child.is_some() => panic!("an instance ended by itself: {last:#?}"),
            Ok(_) => return false,
            Err(error) => panic!("an instance does not begin to serve: {error}"),
        }
        true
    }

    /// Kills an instance at once, and waits for its end.
    pub fn kill(&self, instance: usize) {
        let mut state = self.lock();
        let one = &mut state.instances[instance];
        one.at = None;
        if let Some(mut child) = one.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
            state.kills += 1;
        }
    }

    /// Kills as was planned, and says so.
    fn strike(&self, kill: Kill) {
        self.kill(kill.instance);
        self.killed.notify_one();
    }

    /// How many were killed.
    pub fn kills(&self) -> usize {
        self.lock().kills
    }

    /// One that serves, each in its turn; none where none does.
    pub fn any(&self) -> Option<Addresses> {
        let mut state = self.lock();
        let count = state.instances.len();
        state.next += 1;
        let first = state.next;
        (0..count).find_map(|at| state.instances[(first + at) % count].at)
    }

    /// Kills as planned, once it comes to that.
    pub fn arm(&self, kill: Kill) {
        self.lock().armed = Some((kill, 0));
    }

    /// Returns when what was armed has killed; after `patience` it is killed whatever happens.
    pub async fn struck(&self, patience: Duration) {
        if tokio::time::timeout(patience, self.killed.notified()).await.is_err() {
            let armed = self.lock().armed.take();
            match armed {
                Some((kill, _)) => self.kill(kill.instance),
                // It is about to.
                None => self.killed.notified().await,
            }
        }
    }

    /// Something happened.
    pub fn hit(&self, moment: Moment) {
        let mut state = self.lock();
        let Some((kill, times)) = &mut state.armed else { return };
        if kill.moment != moment {
            return;
        }
        *times += 1;
        if *times < kill.times {
            return;
        }
        let kill = *kill;
        state.armed = None;
        drop(state);
        if kill.delay_us == 0 {
            return self.strike(kill);
        }
        let own = self.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(kill.delay_us));
            own.strike(kill);
        });
    }
}
